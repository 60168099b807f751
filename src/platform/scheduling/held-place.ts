import { AsyncLocalStorage } from 'node:async_hooks';

const held = new AsyncLocalStorage<HeldPlace>();

/** A place in a gate that work holds while it runs, so that work which only waits can leave it to others meanwhile. */
export class HeldPlace {
  private constructor(
    private readonly enter: () => Promise<() => void>,
    private leaveIt: (() => void) | null,
  ) {}

  /** Takes a place, and waits for one if need be; throws what `enter` throws. */
  static async take(enter: () => Promise<() => void>): Promise<HeldPlace> {
    return new HeldPlace(enter, await enter());
  }

  /** Runs work that may call {@link withoutPlace}. */
  async during<T>(work: () => T | Promise<T>): Promise<T> {
    return held.run(this, async () => work());
  }

  leave(): void {
    this.leaveIt?.();
    this.leaveIt = null;
  }

  /** Once for the work of a place: it leaves the place, and takes its turn again before it continues. */
  async without<T>(wait: () => Promise<T>): Promise<T> {
    this.leave();
    const result = await wait();
    this.leaveIt = await this.enter();
    return result;
  }
}

/** Waits without the place that the caller's work holds, if it holds one. Throws also what taking it again throws. */
export async function withoutPlace<T>(wait: () => Promise<T>): Promise<T> {
  const place = held.getStore();
  return place === undefined ? wait() : place.without(wait);
}
