import type { Logger } from './log.js';

const EVERY_MS = 60_000;

/** A warning that clients can cause, logged once a minute at most, so that they cannot fill the log. */
export class RareWarning {
  private lastMs = -Infinity;
  private unlogged = 0;

  constructor(
    private readonly log: Logger,
    private readonly message: string,
  ) {}

  /** Logs the details of this case, and how many cases were not logged since the last line. */
  warn(details: object): void {
    const nowMs = performance.now();
    if (nowMs - this.lastMs < EVERY_MS) {
      this.unlogged += 1;
      return;
    }
    this.log.warn({ ...details, unlogged: this.unlogged }, this.message);
    this.lastMs = nowMs;
    this.unlogged = 0;
  }
}
