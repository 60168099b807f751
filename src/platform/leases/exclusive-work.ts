import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import type { Fence } from './fence.js';
import { LeaseRows } from './lease-rows.js';

/** A holder that fell silent for this long (its host is gone, its process is stopped) loses the lease. */
const SILENCE_MAX_MS = 30_000;
/** How often a holder at work shows itself within that time. */
const SIGNS_OF_LIFE = 3;
const TRY_EVERY_MS = 200;

/**
 * @param fence to be checked in each transaction that must not be run twice
 * @param lost when another process may have taken over
 */
export type HeldWork<T> = (fence: Fence, lost: AbortSignal) => Promise<T>;

/** Work that only one process at a time does, under a lease by name. */
export class ExclusiveWork {
  /** @param name at most 64 characters */
  constructor(
    private readonly orm: MikroORM,
    private readonly name: string,
    private readonly silenceMaxMs = SILENCE_MAX_MS,
  ) {}

  /** Waits for the lease without a limit, because its holder is at work, or loses it. */
  async during<T>(work: HeldWork<T>): Promise<T> {
    const rows = this.newRows();
    for (;;) {
      const fence = await rows.take(this.name);
      if (fence !== null) return this.held(rows, fence, work);
      await pause(TRY_EVERY_MS);
    }
  }

  /** The same, but does not wait. @returns null when another process holds the lease */
  async tryDuring<T>(work: HeldWork<T>): Promise<T | null> {
    const rows = this.newRows();
    const fence = await rows.take(this.name);
    return fence === null ? null : this.held(rows, fence, work);
  }

  private async held<T>(rows: LeaseRows, fence: Fence, work: HeldWork<T>): Promise<T> {
    const lost = new AbortController();
    let untilMs = performance.now() + this.silenceMaxMs;
    const showLife = async (): Promise<void> => {
      const nextMs = performance.now() + this.silenceMaxMs;
      const kept = await rows.renew([this.name]).catch(() => null);
      if (kept === 1) untilMs = nextMs;
      if (kept === 0 || performance.now() > untilMs) lost.abort();
    };
    const living = setInterval(() => void showLife(), this.silenceMaxMs / SIGNS_OF_LIFE);
    try {
      return await work(fence, lost.signal);
    } finally {
      clearInterval(living);
      // Without the database the lease expires.
      await rows.giveBack([this.name]).catch(() => undefined);
    }
  }

  /** Two calls at once are two owners. */
  private newRows(): LeaseRows {
    return new LeaseRows(this.orm, this.silenceMaxMs);
  }
}
