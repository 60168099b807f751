import { lazy, Suspense } from 'react';
import { Loading } from './loading';

const ChartCanvas = lazy(async () => {
  assureLanguage();
  return import('./chart-canvas');
});

export type ChartTone = 'good' | 'warn' | 'bad';
export type ChartStep = 'SECOND' | 'HOUR' | 'DAY';

export interface ChartSeries {
  readonly label: string;
  readonly tone: ChartTone;
  readonly shape: 'AREA' | 'BARS' | 'LINE';
  /** One for each time. */
  readonly values: readonly number[];
}

export interface TimeChartProps {
  /** What the chart says, in a sentence: a canvas says nothing to a screen reader. */
  readonly summary: string;
  readonly step: ChartStep;
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  /** In pixels, without the legend. */
  readonly height?: number;
}

const LEGEND_PX = 34;

/**
 * uPlot fails as it loads where Intl does not know the language of the browser: a Chromium on a system without a locale
 * has `en-US@posix`.
 */
function assureLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  }
}

/** Counts over time. What draws it is loaded when the first chart is shown. */
export function TimeChart({ height = 160, ...props }: TimeChartProps) {
  return (
    <Suspense fallback={<Loading height={height + LEGEND_PX} />}>
      <ChartCanvas height={height} {...props} />
    </Suspense>
  );
}
