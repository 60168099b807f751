import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolved, unexplained, type KnownUse, type Operation } from '../faults/checks/history.js';

type Result = Operation['result'];

const ok = (redemptionId: string): Result => ({ kind: 'OK', redemptionId });
const already = (redemptionId: string | null): Result => ({ kind: 'ALREADY_REDEEMED', redemptionId });
const exhausted: Result = { kind: 'CODE_EXHAUSTED' };
const held: Result = { kind: 'CODE_HELD' };
const unknown: Result = { kind: 'UNKNOWN', redemptionId: null };

const at = (userId: string, startMs: number, endMs: number, result: Result, key = 'k'): Operation => ({
  userId,
  key,
  startMs,
  endMs: result.kind === 'UNKNOWN' ? Infinity : endMs,
  result,
});

describe('a history that one counter explains', () => {
  it.each<[string, number, Operation[]]>([
    ['nothing at all', 1, []],
    ['a single use, then everybody else is refused', 1, [at('a', 0, 5, ok('1')), at('b', 2, 6, exhausted)]],
    ['a refusal that overlaps the use', 1, [at('a', 0, 9, ok('1')), at('b', 1, 2, exhausted)]],
    ['the same answer to a retry', 1, [at('a', 0, 5, ok('1')), at('a', 6, 7, ok('1'))]],
    ['ALREADY_REDEEMED after the use', 2, [at('a', 0, 5, ok('1')), at('a', 6, 7, already('1'))]],
    ['ALREADY_REDEEMED after no answer', 1, [at('a', 0, 5, unknown), at('a', 6, 7, already('1'))]],
    ['a use without an answer', 1, [at('a', 0, 5, unknown), at('b', 6, 7, exhausted)]],
    ['a request that came to nothing', 1, [at('a', 0, 5, unknown), at('b', 6, 7, ok('2'))]],
    [
      'a use held by another request',
      1,
      [at('a', 0, 5, unknown), at('b', 6, 7, held), at('b', 8, 9, ok('2'))],
    ],
    ["a wait for one's own other key", 0, [at('a', 0, 5, ok('1')), at('a', 1, 2, held, 'other')]],
    ['no limit', 0, [at('a', 0, 5, ok('1')), at('b', 0, 5, ok('2')), at('c', 0, 5, ok('3'))]],
  ])('%s', (_name, useLimit, history) => {
    expect(unexplained(history, useLimit)).toEqual([]);
  });
});

describe('a history that no counter explains', () => {
  it.each<[string, number, Operation[], string]>([
    ['more uses than there are', 1, [at('a', 0, 5, ok('1')), at('b', 0, 5, ok('2'))], '2 users were told'],
    [
      'two uses of one user',
      2,
      [at('a', 0, 5, ok('1')), at('a', 6, 9, ok('2'))],
      'several redemptions: 1, 2',
    ],
    [
      'another first redemption',
      2,
      [at('a', 0, 5, ok('1')), at('a', 6, 9, already('2'))],
      'several redemptions',
    ],
    ['exhausted with a use left', 2, [at('a', 0, 5, ok('1')), at('b', 6, 7, exhausted)], 'at most 1 of 2'],
    ['exhausted before the use', 1, [at('b', 0, 1, exhausted), at('a', 2, 5, ok('1'))], 'redeemed after'],
    [
      'exhausted for who redeemed',
      1,
      [at('a', 0, 5, ok('1')), at('a', 6, 7, exhausted)],
      'answered CODE_EXHAUSTED too',
    ],
    ['ALREADY_REDEEMED from nowhere', 1, [at('a', 0, 5, already('1'))], 'before any request'],
    [
      'ALREADY_REDEEMED too early',
      1,
      [at('a', 0, 1, already('1')), at('a', 2, 5, ok('1'))],
      'before any request',
    ],
    ['exhausted without limit', 0, [at('a', 0, 5, exhausted)], 'without limit was answered CODE_EXHAUSTED'],
    ['held without limit', 0, [at('a', 0, 5, held)], 'without limit was answered CODE_HELD'],
    ["held by one's own same key", 0, [at('a', 0, 5, ok('1')), at('a', 1, 2, held)], 'answered CODE_HELD'],
    ['held by no request', 2, [at('b', 0, 5, ok('1')), at('a', 0, 5, held)], 'only 1 other requests'],
    ['exhausted by who was refused', 1, [at('a', 0, 5, unknown), at('a', 6, 7, exhausted)], 'at most 0 of 1'],
  ])('%s', (_name, useLimit, history, said) => {
    expect(unexplained(history, useLimit).join('\n')).toContain(said);
  });
});

describe('a history with what the database knows', () => {
  const history = [at('a', 0, 5, unknown), at('b', 6, 7, exhausted)];

  it('is explained when the request without an answer redeemed', () => {
    expect(unexplained(resolved(history, [{ userId: 'a', redemptionId: '1' }]), 1)).toEqual([]);
  });

  it('is not explained when it came to nothing: then CODE_EXHAUSTED was wrong', () => {
    expect(unexplained(resolved(history, []), 1)).toEqual([
      'CODE_EXHAUSTED was answered when at most 0 of 1 uses could be spent',
    ]);
  });
});

/** The definition itself, by search: is there an order of the operations that a counter of uses answers so? */
function isLinearizable(operations: readonly Operation[], useLimit: number): boolean {
  const search = (left: readonly Operation[], uses: ReadonlyMap<string, string>): boolean => {
    const answered = left.filter(({ result }) => result.kind !== 'UNKNOWN');
    if (answered.length === 0) return true;
    const firstEndMs = Math.min(...left.map(({ endMs }) => endMs));
    // Next may come whatever began before the first of those left has ended.
    return left
      .filter(({ startMs }) => startMs <= firstEndMs)
      .some((next) => {
        const rest = left.filter((other) => other !== next);
        return after(next, uses, useLimit).some((then) => search(rest, then));
      });
  };
  return search(operations, new Map());
}

type Uses = ReadonlyMap<string, string>;

/** What the counter can be after an operation that it answers so; nothing when it never does. */
function after({ userId, result }: Operation, uses: Uses, useLimit: number): Uses[] {
  const own = uses.get(userId);
  const isFull = useLimit > 0 && uses.size >= useLimit;
  const used = (id: string): Uses[] =>
    own === undefined && !isFull ? [new Map([...uses, [userId, id]])] : own === id ? [uses] : [];
  switch (result.kind) {
    case 'OK':
      return used(result.redemptionId);
    case 'ALREADY_REDEEMED':
      return own === result.redemptionId ? [uses] : [];
    case 'CODE_EXHAUSTED':
      return isFull && own === undefined ? [uses] : [];
    case 'UNKNOWN':
      // Or any id: it is known only if an answer names it.
      return [uses, ...['1', '2', '3'].flatMap(used)];
    default:
      return [uses];
  }
}

const results = fc.constantFrom<Result>(
  ok('1'),
  ok('2'),
  ok('3'),
  already('1'),
  already('2'),
  exhausted,
  unknown,
);
const operation = fc
  .record({
    userId: fc.constantFrom('a', 'b', 'c'),
    startMs: fc.integer({ min: 0, max: 12 }),
    lengthMs: fc.integer({ min: 0, max: 6 }),
    result: results,
  })
  .map(({ userId, startMs, lengthMs, result }) => at(userId, startMs, startMs + lengthMs, result));

describe('the decision without a search', () => {
  it('is the same as that of a search through all orders, for any history', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), fc.constantFrom(1, 2, 3), (history, useLimit) => {
        expect(unexplained(history, useLimit).length === 0).toBe(isLinearizable(history, useLimit));
      }),
      { numRuns: 4000 },
    );
  });

  it('explains every history that a counter has really answered, and finds one answer that was exchanged', () => {
    const requests = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.boolean()), {
      minLength: 4,
      maxLength: 12,
    });
    fc.assert(
      fc.property(requests, fc.constantFrom(1, 2), (users, useLimit) => {
        const { history, uses } = answeredByCounter(users, useLimit);
        expect(unexplained(history, useLimit)).toEqual([]);
        expect(unexplained(resolved(history, uses), useLimit)).toEqual([]);
        const refusedAt = history.findIndex(({ result }) => result.kind === 'CODE_EXHAUSTED');
        const refused = history[refusedAt];
        if (refused === undefined) return;
        // One use too many, to a user who was refused.
        const wrong = history.with(refusedAt, { ...refused, result: ok('too many') });
        expect(unexplained(resolved(wrong, uses), useLimit)).not.toEqual([]);
      }),
    );
  });
});

/** A counter answers one request after the other; some answers get lost. */
function answeredByCounter(users: readonly (readonly [string, boolean])[], useLimit: number) {
  const uses = new Map<string, KnownUse>();
  const history = users.map(([userId, isLost], index) => {
    const startMs = index * 10;
    const first = uses.get(userId);
    const redemptionId = `${userId}${index}`;
    const isRefused = first === undefined && uses.size >= useLimit;
    if (first === undefined && !isRefused) uses.set(userId, { userId, redemptionId });
    const answer =
      first !== undefined ? already(first.redemptionId) : isRefused ? exhausted : ok(redemptionId);
    return at(userId, startMs, startMs + 5, isLost ? unknown : answer);
  });
  return { history, uses: [...uses.values()] };
}
