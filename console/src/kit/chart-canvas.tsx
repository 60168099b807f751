import 'uplot/dist/uPlot.min.css';
import './time-chart.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { chartOptions } from './chart-options';
import type { TimeChartProps } from './time-chart';

/** New values are drawn into the chart that is there; only other series or colours make another one. */
export default function ChartCanvas({ summary, step, times, series, height }: Required<TimeChartProps>) {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const scheme = useComputedColorScheme();
  const data: uPlot.AlignedData = [[...times], ...series.map(({ values }) => [...values])];
  const latest = useRef(data);
  useEffect(() => {
    latest.current = data;
    chart.current?.setData(data);
  });
  const look = series.map(({ label, tone, shape }) => `${label} ${tone} ${shape}`).join();
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const size = () => ({ width: Math.max(element.clientWidth, 200), height });
    const drawn = new uPlot({ ...chartOptions(step, series, scheme), ...size() }, latest.current, element);
    chart.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current = null;
      drawn.destroy();
    };
    // `look` stands for the series.
  }, [look, step, scheme, height]);
  return <div ref={frame} role="img" aria-label={summary} />;
}
