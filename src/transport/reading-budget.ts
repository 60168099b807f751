import { LRUCache } from 'lru-cache';
import { atMost } from '../platform/cache-size.js';
import type { Caller } from '../platform/scheduling/fair-queue.js';
import { rateLimited } from './caller.js';

/** Processor time that a caller may spend at once on texts that were never seen, and what it gets back each second. */
const BURST_MS = 1000;
const REFILL_MS_PER_S = 100;
const CALLERS_MAX = 10_000;

interface Account {
  readonly leftMs: number;
  readonly atMs: number;
}

/**
 * Processor time for work that a caller can cause without end by sending ever new texts: parsing, validating,
 * describing the schema. It is measured, not estimated, so that no text is cheaper than it is.
 */
export class ReadingBudget {
  private readonly accounts = new LRUCache<string, Account>(atMost(CALLERS_MAX));

  constructor(
    private readonly nowMs: () => number = () => performance.now(),
    private readonly cpuMs: () => number = processorMs,
  ) {}

  /** @throws GraphQLError RATE_LIMITED when this caller has spent what it had. */
  spend<T>({ tenantId, kind, id }: Caller, work: () => T): T {
    const key = `${tenantId} ${kind} ${id}`;
    const leftMs = this.left(key);
    if (leftMs <= 0) {
      throw rateLimited(
        'You have sent too many operations whose text was new. Send the same text again with other variables, and wait before you send new ones.',
        Math.ceil(((1 - leftMs) / REFILL_MS_PER_S) * 1000),
      );
    }
    const startMs = this.cpuMs();
    try {
      return work();
    } finally {
      this.accounts.set(key, { leftMs: leftMs - (this.cpuMs() - startMs), atMs: this.nowMs() });
    }
  }

  private left(key: string): number {
    const account = this.accounts.get(key);
    if (account === undefined) return BURST_MS;
    const refillMs = ((this.nowMs() - account.atMs) / 1000) * REFILL_MS_PER_S;
    return Math.min(BURST_MS, account.leftMs + refillMs);
  }
}

/** Not the time on the clock: on a busy machine a text is not dearer than elsewhere. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
