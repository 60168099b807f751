import uPlot from 'uplot';
import { countText } from './format';
import type { ChartSeries, ChartStep, ChartTone } from './time-chart';

type Scheme = 'light' | 'dark';

/** A canvas takes no variables of style sheets. */
const INKS: Record<Scheme, Record<ChartTone | 'text' | 'grid', string>> = {
  light: { good: '#0f766e', warn: '#b45309', bad: '#b42318', text: '#495057', grid: '#e9ecef' },
  dark: { good: '#2dd4bf', warn: '#fbbf24', bad: '#ff9a92', text: '#b8bcc2', grid: '#383838' },
};
const FONT = "12px 'Inter Variable', system-ui, sans-serif";

const clock = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', options);
const LABELS: Record<ChartStep, Intl.DateTimeFormat> = {
  SECOND: clock({ hour: '2-digit', minute: '2-digit', second: '2-digit' }),
  HOUR: clock({ hour: '2-digit', minute: '2-digit' }),
  DAY: clock({ day: 'numeric', month: 'short', timeZone: 'UTC' }),
};
const MIDNIGHT = clock({ day: 'numeric', month: 'short' });
const MOMENTS: Record<ChartStep, Intl.DateTimeFormat> = {
  SECOND: LABELS.SECOND,
  HOUR: clock({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }),
  DAY: clock({ day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }),
};

const STEP_S: Record<ChartStep, number> = { SECOND: 1, HOUR: 3600, DAY: 86_400 };

/** Counts start at 0, stand at the left, and have no fractions. Days begin in UTC, as the server counts them. */
export function chartOptions(
  step: ChartStep,
  series: readonly ChartSeries[],
  scheme: Scheme,
): Omit<uPlot.Options, 'width' | 'height'> {
  const ink = INKS[scheme];
  const margin = series.some(({ shape }) => shape === 'BARS') ? STEP_S[step] / 2 : 0;
  const axis = { stroke: ink.text, font: FONT, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false } };
  return {
    padding: [8, 30, 0, 0],
    ...(step === 'DAY' && { tzDate: (time: number) => uPlot.tzDate(new Date(time * 1000), 'UTC') }),
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: { range: (_chart, min, max) => [min - margin, max + margin] },
      y: { range: (_chart, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 90,
        values: (_chart, splits) => splits.map((time) => labelOfTime(step, time)),
      },
      {
        ...axis,
        size: 52,
        incrs: [1, 2, 5, 10, 20, 50, 1e2, 2e2, 5e2, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6],
      },
    ],
    series: [
      { label: 'Time', value: (_chart, time) => textOf(time, (at) => MOMENTS[step].format(at * 1000)) },
      ...series.map((each) => drawn(each, ink[each.tone])),
    ],
  };
}

function drawn({ label, shape }: ChartSeries, stroke: string): uPlot.Series {
  const bars = shape === 'BARS' ? uPlot.paths.bars?.({ size: [0.7, 40] }) : undefined;
  return {
    label,
    stroke,
    width: shape === 'BARS' ? 0 : 1.5,
    points: { show: false },
    value: (_chart, value) => textOf(value, countText),
    ...(shape !== 'LINE' && { fill: `${stroke}${shape === 'BARS' ? 'cc' : '2b'}` }),
    ...(bars !== undefined && { paths: bars }),
  };
}

function labelOfTime(step: ChartStep, time: number): string {
  const isMidnight = step === 'HOUR' && new Date(time * 1000).getHours() === 0 && time % 3600 === 0;
  return (isMidnight ? MIDNIGHT : LABELS[step]).format(time * 1000);
}

const textOf = (value: number | null | undefined, text: (value: number) => string): string =>
  value === null || value === undefined ? '–' : text(value);
