import { FairQueue, type Caller } from './fair-queue.js';

/**
 * Shares the event loop between long work and the rest. Long work is cut into slices and asks for a turn before each;
 * one slice runs per round of the loop, tenants and callers in turn, and whatever has arrived meanwhile is served in
 * between. Without it one list of 500 rows holds every redemption of the process until it is written out.
 */
export class LoopTurns {
  private readonly queue = new FairQueue<() => void>();
  private isScheduled = false;

  /** Resolves when it is this caller's turn to run one slice. */
  async next(caller: Caller): Promise<void> {
    return new Promise((resolve) => {
      this.queue.push(caller, resolve);
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.grant());
  }

  private grant(): void {
    this.isScheduled = false;
    this.queue.take()?.();
    // An immediate that is set here runs after the next poll for I/O, not before.
    if (this.queue.size > 0) this.schedule();
  }
}
