import type { Try } from '../load/client-log.js';

/** One answer about one code, or a request without one. */
export interface Operation {
  readonly userId: string;
  readonly key: string | null;
  readonly startMs: number;
  /** Infinity where no answer came: what was asked for may happen at any time after the start. */
  readonly endMs: number;
  readonly result:
    | { readonly kind: 'OK'; readonly redemptionId: string }
    | { readonly kind: 'ALREADY_REDEEMED'; readonly redemptionId: string | null }
    | { readonly kind: 'CODE_EXHAUSTED' }
    | { readonly kind: 'CODE_HELD' }
    /** Refused for another reason; it may have held a use until then. */
    | { readonly kind: 'OTHER' }
    /** With the id where the answer was PROCESSING. */
    | { readonly kind: 'UNKNOWN'; readonly redemptionId: string | null };
}

/** What is known of one user's redemption of the code. */
interface Use {
  /** Ids that answers name; more than one is a violation. */
  readonly ids: Set<string>;
  /** The redemption cannot have come before: the first start of a request that may have made it. */
  earliestMs: number;
  /** The end of the first answer that names it: it cannot have happened later. */
  latestMs: number;
  isTold: boolean;
}

/**
 * Whether the history of a code can be explained by one counter of `useLimit` uses (0: without limit), which gives
 * each user at most one, and at which every request had its effect at one instant between its start and its end.
 *
 * Uses only grow in number, so two instants decide each user's part (not before a request that may have made the
 * redemption, not after the first answer that names it), and one instant decides CODE_EXHAUSTED: all uses must have
 * begun before the first such answer ended. That makes the decision exact without any search. CODE_HELD promises
 * nothing and is only held against the number of requests that could have held the uses, or the same user's request
 * under another key, which comes first.
 *
 * @returns what cannot be explained; nothing when the history is fine
 */
export function unexplained(operations: readonly Operation[], useLimit: number): string[] {
  const uses = usesOf(operations);
  const told = [...uses].filter(([, use]) => use.isTold);
  const found = told.flatMap(([userId, use]) => impossibleUse(userId, use));
  if (useLimit > 0 && told.length > useLimit) {
    found.push(`${told.length} users were told that they redeemed a code of ${useLimit} uses`);
  }
  return [
    ...found,
    ...impossibleExhaustion(operations, uses, useLimit),
    ...impossibleHolds(operations, useLimit),
  ];
}

function usesOf(operations: readonly Operation[]): Map<string, Use> {
  const uses = new Map<string, Use>();
  for (const { userId, startMs, endMs, result } of operations) {
    if (!('redemptionId' in result)) continue;
    const use = uses.get(userId) ?? {
      ids: new Set(),
      earliestMs: Infinity,
      latestMs: Infinity,
      isTold: false,
    };
    uses.set(userId, use);
    // A user answered ALREADY_REDEEMED has not redeemed it by this request.
    if (result.kind !== 'ALREADY_REDEEMED') use.earliestMs = Math.min(use.earliestMs, startMs);
    if (result.kind === 'UNKNOWN') continue;
    use.isTold = true;
    use.latestMs = Math.min(use.latestMs, endMs);
    if (result.redemptionId !== null) use.ids.add(result.redemptionId);
  }
  return uses;
}

function impossibleUse(userId: string, { ids, earliestMs, latestMs }: Use): string[] {
  const found: string[] = [];
  if (ids.size > 1)
    found.push(`user ${userId} was answered with several redemptions: ${[...ids].join(', ')}`);
  if (earliestMs > latestMs) {
    found.push(`user ${userId} was answered ALREADY_REDEEMED before any request that could have redeemed`);
  }
  return found;
}

function impossibleExhaustion(
  operations: readonly Operation[],
  uses: ReadonlyMap<string, Use>,
  useLimit: number,
): string[] {
  const exhausted = operations.filter(({ result }) => result.kind === 'CODE_EXHAUSTED');
  if (exhausted.length === 0) return [];
  if (useLimit === 0) return ['a code without limit was answered CODE_EXHAUSTED'];
  const firstEndMs = Math.min(...exhausted.map(({ endMs }) => endMs));
  const refused = new Set(exhausted.map(({ userId }) => userId));
  const found = [...refused]
    .filter((userId) => uses.get(userId)?.isTold === true)
    .map((userId) => `user ${userId} redeemed the code and was answered CODE_EXHAUSTED too`);
  const told = [...uses].filter(([, use]) => use.isTold);
  const late = told.filter(([, use]) => use.earliestMs > firstEndMs);
  for (const [userId] of late) found.push(`user ${userId} redeemed after CODE_EXHAUSTED had been answered`);
  // Who was refused has not redeemed by an unanswered request either.
  const possible = [...uses].filter(
    ([userId, use]) => !use.isTold && use.earliestMs <= firstEndMs && !refused.has(userId),
  );
  const most = told.length - late.length + possible.length;
  if (most < useLimit) {
    found.push(`CODE_EXHAUSTED was answered when at most ${most} of ${useLimit} uses could be spent`);
  }
  return found;
}

function impossibleHolds(operations: readonly Operation[], useLimit: number): string[] {
  return operations.flatMap((operation) => {
    if (operation.result.kind !== 'CODE_HELD') return [];
    const { userId, key, endMs } = operation;
    const others = operations.filter((other) => other !== operation && other.startMs <= endMs);
    if (others.some((other) => other.userId === userId && other.key !== key)) return [];
    if (useLimit === 0) return ['a code without limit was answered CODE_HELD'];
    return others.length < useLimit
      ? [`CODE_HELD was answered when only ${others.length} other requests had begun, of ${useLimit} uses`]
      : [];
  });
}

/** The history of one code in the clients' log. */
export function historyOf(tries: readonly Try[], codeId: string): Operation[] {
  return tries
    .filter((each) => each.codeId === codeId)
    .map((each) => ({ ...timesOf(each), userId: each.userId, key: each.key, result: resultOf(each) }));
}

function timesOf({ startMs, endMs, outcome }: Try): { startMs: number; endMs: number } {
  const isOpen = endMs === null || outcome.kind === 'PROCESSING';
  return { startMs, endMs: isOpen ? Infinity : endMs };
}

function resultOf({ outcome }: Try): Operation['result'] {
  switch (outcome.kind) {
    case 'COMMITTED':
      return { kind: 'OK', redemptionId: outcome.redemptionId };
    case 'PROCESSING':
      return { kind: 'UNKNOWN', redemptionId: outcome.orderNo };
    case 'UNKNOWN':
      return { kind: 'UNKNOWN', redemptionId: null };
    case 'REFUSED':
      if (outcome.refusal === 'ALREADY_REDEEMED') {
        return { kind: 'ALREADY_REDEEMED', redemptionId: outcome.firstId };
      }
      return outcome.refusal === 'CODE_EXHAUSTED' || outcome.refusal === 'CODE_HELD'
        ? { kind: outcome.refusal }
        : { kind: 'OTHER' };
  }
}

/** A redemption as the database has it. */
export interface KnownUse {
  readonly userId: string;
  readonly redemptionId: string;
}

/**
 * The same history with the database's knowledge: every request without an answer either made the redemption that is
 * there or nothing. What was answered must then be explained by exactly the redemptions that exist.
 */
export function resolved(operations: readonly Operation[], uses: readonly KnownUse[]): Operation[] {
  // CODE_HELD is judged by all requests, also by those that came to nothing.
  const answered = operations.filter(
    ({ result }) => result.kind !== 'UNKNOWN' && result.kind !== 'CODE_HELD',
  );
  const made = uses.flatMap(({ userId, redemptionId }) => {
    const starts = operations
      .filter((operation) => operation.userId === userId && operation.result.kind === 'UNKNOWN')
      .map(({ startMs }) => startMs);
    if (starts.length === 0) return [];
    const result = { kind: 'OK', redemptionId } as const;
    return [{ userId, key: null, startMs: Math.min(...starts), endMs: Infinity, result }];
  });
  return [...answered, ...made];
}
