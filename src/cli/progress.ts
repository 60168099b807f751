import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  add(count: number): void;
  stop(): void;
}

const NONE: Progress = { add: () => undefined, stop: () => undefined };

/** A bar on standard error, for a person only. */
export function openProgress(total: number, isHidden: boolean): Progress {
  if (isHidden || !process.stderr.isTTY) return NONE;
  const format = '{bar} {percentage}% | {value} of {total} codes | {eta_formatted} left';
  const bar = new SingleBar({ format, stream: process.stderr }, Presets.shades_classic);
  bar.start(total, 0);
  return { add: (count) => bar.increment(count), stop: () => bar.stop() };
}
