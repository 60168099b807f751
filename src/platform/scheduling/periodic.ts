import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../observability/log.js';

export interface PeriodicSettings {
  /** In the log. */
  readonly name: string;
  /** The longest pause between the end of one run and the begin of the next. */
  readonly everyMs: number;
  readonly log: Logger;
}

/** The shortest pause, as a part of the longest: processes that were started together soon run apart. */
const SHORTEST = 0.6;

/**
 * Work that this process repeats on a timer. Not a job of the queue, so that it needs no Redis to be woken.
 * Runs never overlap; one that fails is logged, and the next one comes as usual.
 */
export class Periodic {
  private readonly stopping = new AbortController();
  private running: Promise<void> | null = null;

  constructor(
    private readonly settings: PeriodicSettings,
    /** The signal tells it to come to an end soon: the process is stopping. */
    private readonly work: (signal: AbortSignal) => Promise<void>,
  ) {}

  start(): void {
    this.running ??= this.loop();
  }

  /** Waits for a run under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { name, everyMs, log } = this.settings;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const pauseMs = everyMs * (SHORTEST + (1 - SHORTEST) * Math.random());
      await pause(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.work(signal);
      } catch (error) {
        // Asked to end, it may end so.
        if (signal.aborted) return;
        log.warn({ err: error, work: name }, 'periodic work failed, trying again');
      }
    }
  }
}
