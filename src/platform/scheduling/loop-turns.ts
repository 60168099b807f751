import { FairQueue, type Caller } from './fair-queue.js';

/** Between two slices while the machine is needed elsewhere; a slice itself takes about one. */
const PACE_MS = 4;

/**
 * Shares the event loop between long work and the rest. Long work is cut into slices and asks for a turn before each;
 * one slice runs per round of the loop, tenants and callers in turn, and whatever has arrived meanwhile is served in
 * between. Without it one list of 500 rows holds every redemption of the process until it is written out.
 * While the machine is needed elsewhere, slices keep a distance: a flood then leaves the processor to the database too.
 */
export class LoopTurns {
  private readonly queue = new FairQueue<() => void>();
  private isScheduled = false;

  /** @param isPressed While true slices are paced: something that takes no turns needs the machine. */
  constructor(
    private readonly isPressed: () => boolean = () => false,
    private readonly paceMs = PACE_MS,
  ) {}

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
    if (this.isPressed()) setTimeout(() => this.grant(), this.paceMs);
    else setImmediate(() => this.grant());
  }

  private grant(): void {
    this.isScheduled = false;
    this.queue.take()?.();
    // An immediate that is set here runs after the next poll for I/O, not before.
    if (this.queue.size > 0) this.schedule();
  }
}
