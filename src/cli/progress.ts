import { Presets, SingleBar } from 'cli-progress';
import { PaceMeter } from '../codes/batch-pace.js';

export interface Progress {
  /** @param count done so far */
  reach(count: number): void;
  stop(): void;
}

const NONE: Progress = { reach: () => undefined, stop: () => undefined };

/** A bar on standard error, for a person only. */
export function openProgress(total: number): Progress {
  if (!process.stderr.isTTY) return NONE;
  const format = '{bar} {percentage}% | {value} of {total} codes | {perSecond}/s | {left} left';
  const bar = new SingleBar({ format, stream: process.stderr }, Presets.shades_classic);
  const unknown = { perSecond: '-', left: '-' };
  bar.start(total, 0, unknown);
  const meter = new PaceMeter(total);
  return {
    reach: (count) => {
      const { codesPerSecond, secondsLeft } = meter.note(count, performance.now());
      const pace = secondsLeft === null ? unknown : { perSecond: codesPerSecond, left: `${secondsLeft} s` };
      bar.update(count, pace);
    },
    stop: () => bar.stop(),
  };
}
