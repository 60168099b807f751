import { InvariantError } from './assert.js';
import type { Clock } from './clock.js';

/**
 * Ids are 63-bit and time-ordered: 41 bits of milliseconds since 2024, 12 bits of process node,
 * 10 bits of sequence. They are made in the application, so a batch insert needs no round trip,
 * and are handled as decimal strings because a JavaScript number cannot hold them.
 */
export type Id = string;

const EPOCH_MS = Date.UTC(2024, 0, 1);
const SEQUENCE_BITS = 10n;
const NODE_BITS = 12n;
const SEQUENCE_MAX = 2 ** Number(SEQUENCE_BITS) - 1;
export const NODE_COUNT = 2 ** Number(NODE_BITS);

/** What tells this process' ids from another's: a node number that no other process holds, and until when. */
export interface NodeLease {
  readonly nodeNo: number;
  readonly validUntilMs: number;
}

export class IdGenerator {
  private lastMs = 0;
  private sequence = 0;

  constructor(
    private readonly clock: Clock,
    private readonly lease: () => NodeLease,
  ) {}

  /** The next id, as a decimal string. Never repeats, also when the clock is set back. */
  next(): Id {
    const lease = this.lease();
    const nowMs = this.clock.nowMs();
    // A process that slept past its lease may share its node with another one by now.
    if (nowMs > lease.validUntilMs) throw new InvariantError('The process node lease has run out.');
    if (nowMs > this.lastMs) {
      this.lastMs = nowMs;
      this.sequence = 0;
    } else if (this.sequence < SEQUENCE_MAX) {
      this.sequence += 1;
    } else {
      // More than 1,024 ids in one millisecond: borrow from the next one rather than wait.
      this.lastMs += 1;
      this.sequence = 0;
    }
    const ms = BigInt(this.lastMs - EPOCH_MS);
    const low = BigInt(lease.nodeNo * (SEQUENCE_MAX + 1) + this.sequence);
    return ((ms << (NODE_BITS + SEQUENCE_BITS)) | low).toString();
  }
}

/** Orders ids as the database does, so that locks are taken in primary-key order. */
export function compareIds(a: Id, b: Id): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Distinct ids in primary-key order. */
export function sortedIds(ids: Iterable<Id>): Id[] {
  return [...new Set(ids)].toSorted(compareIds);
}

/** True for what can be an id at all; anything else from outside cannot name a row. */
export function isId(value: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(value) && BigInt(value) < 2n ** 63n;
}

/** The least id that can be made at an instant or later: ids begin with their time. */
export function firstIdAt(instantMs: number): Id {
  return (BigInt(Math.max(0, Math.floor(instantMs - EPOCH_MS))) << (NODE_BITS + SEQUENCE_BITS)).toString();
}
