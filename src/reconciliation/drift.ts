import type { RowCheck } from '../platform/database/row-check.js';

/** What must hold, in the words of the design; I9 as far as rows can tell. */
export const INVARIANTS = {
  I1: 'Redemptions of a code stay within its limit; user limits, budgets and quotas hold.',
  I2: 'Each redemption has its one row and its one order; keys and tombstones tell the truth.',
  I3: "A code's uses are its redemptions; Redis' copy is the database's or absent; settled claims are closed.",
  I4: 'Debits equal credits; every balance is the sum of its entries.',
  I5: 'Each redemption has one grant for each of its rewards, and one event.',
  I6: 'No claim is older than its deadline and a minute.',
  I7: 'Every event is numbered without gaps, and handled by its consumers.',
  I8: 'No window holds more attempts than its limit.',
  I9: 'The chain of audit entries is whole, from its first entry to its head and its anchors.',
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** One kind of drift: what it is called, what it means, and what to do. */
export type Check = Pick<RowCheck, 'kind' | 'invariant' | 'means' | 'remedy'>;

/** Something that is not as it must be, as one look has found it. */
export interface Finding {
  readonly kind: string;
  /** By which its group judges it again. */
  readonly item: string;
  /** What to look for: an id, never a code. */
  readonly subject: string;
  /** Counts only if the second look finds the very same; "" where finding it again is enough. */
  readonly evidence: string;
  readonly details: Readonly<Record<string, string | number | null>>;
}

/** Checks that judge the same things. Judging is the same at the first look and at the second. */
export interface CheckGroup {
  /** What is looked at, e.g. `codes`. */
  readonly name: string;
  readonly checks: readonly Check[];
  judge(tenantId: string, items: readonly string[]): Promise<Finding[]>;
}

/** Judges rows of the database, page by page in the order of a key. */
export interface DatabaseChecks extends CheckGroup {
  pages(tenantId: string): AsyncIterable<readonly string[]>;
}

/** A key of a tenant in Redis: `{T}:kind:rest`. */
export interface TenantKey {
  readonly tenantId: string;
  readonly kind: string;
  readonly rest: string;
}

/** Judges what Redis holds by what the database says, and mends it. */
export interface RedisChecks extends CheckGroup {
  /** Which kinds of keys hold what is judged. */
  readonly keyKinds: readonly string[];
  pages(tenantId: string, keys: readonly TenantKey[]): AsyncIterable<readonly string[]>;
  /** Safe to run twice, and beside redemptions: it changes only what still is as it was found. */
  repair(tenantId: string, findings: readonly Finding[]): Promise<void>;
}

/** A finding without evidence: to find it again is enough. */
export function finding(
  kind: string,
  item: string,
  details: Finding['details'] = {},
  subject: string = item,
): Finding {
  return { kind, item, subject, evidence: '', details };
}
