/**
 * Lets look-ups that come while one is under way wait for it and go together, as commits do: under load one query
 * serves many, and a lone look-up does not wait.
 */
export class LoadGate {
  private busy = 0;
  private waiting: (() => void)[] = [];

  /** For DataLoader's `batchScheduleFn`. */
  readonly schedule = (dispatch: () => void): void => {
    if (this.busy === 0) setImmediate(dispatch);
    else this.waiting.push(dispatch);
  };

  /** Runs a batch; those that were scheduled meanwhile start when it has ended, however it ends. */
  async run<T>(batch: () => Promise<T>): Promise<T> {
    this.busy += 1;
    try {
      return await batch();
    } finally {
      this.busy -= 1;
      const released = this.waiting;
      this.waiting = [];
      for (const dispatch of released) dispatch();
    }
  }
}
