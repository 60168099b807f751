import { expect } from 'vitest';
import { setTimeout as pause } from 'node:timers/promises';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import { graphqlRequest } from './graphql-client.js';
import type { SignedUser } from './cluster.js';

/** More at once would only queue up in the client. */
const AT_ONCE = 64;
const RETRIES_MAX = 30;
/** Every request is answered; on busy machines a test has to wait a little before it says that one is not. */
const ANSWERED_MS = 20_000;

const REDEEM = `mutation ($code: String!, $key: String) {
  redeemCode(input: { code: $code, idempotencyKey: $key }) {
    status orderNo redemption { id status codeId userId useNo } errors { code retryAfterMs }
  }
}`;

export interface RedeemWish {
  readonly user: SignedUser;
  readonly code: string;
  readonly key?: string;
}

/** An answer to `redeemCode`, and what it was the answer to. */
export interface Redeemed {
  readonly wish: RedeemWish;
  /** COMMITTED, or the code of the refusal. */
  readonly outcome: string;
  readonly retryAfterMs: number;
  readonly redemption: RedemptionShown | null;
  readonly orderNo: string | null;
}

export interface RedemptionShown {
  readonly id: string;
  readonly status: string;
  readonly codeId: string;
  readonly userId: string;
  readonly useNo: number;
}

interface Payload {
  readonly status: string;
  readonly orderNo: string | null;
  readonly redemption: RedemptionShown | null;
  readonly errors: readonly { readonly code: string; readonly retryAfterMs: number | null }[];
}

/** One request over HTTP, as a client makes it. Anything but an answer of the domain fails the test. */
export async function redeemOnce(url: string, wish: RedeemWish): Promise<Redeemed> {
  const asked = graphqlRequest<{ redeemCode: Payload }>(url, {
    query: REDEEM,
    variables: { code: wish.code, key: wish.key ?? null },
    token: wish.user.token,
    headers: { 'x-product-code': 'DEMO' },
  });
  const answer = await Promise.race([asked, pause(ANSWERED_MS, null, { ref: false })]);
  if (answer === null) throw new Error(`redeemCode was not answered within ${ANSWERED_MS} ms.`);
  const payload = answer.data?.redeemCode;
  if (answer.status !== 200 || payload === undefined) {
    throw new Error(`redeemCode was answered ${answer.status}: ${JSON.stringify(answer.errors)}`);
  }
  const { redemption, orderNo, errors, status } = payload;
  return {
    wish,
    redemption,
    orderNo,
    outcome: errors[0]?.code ?? status,
    retryAfterMs: errors[0]?.retryAfterMs ?? 0,
  };
}

/** The push that a redemption causes, also before it has answered; fails where it was not committed, and causes none. */
export async function pushOf<T>(redeemed: Promise<Redeemed>, next: () => Promise<T>): Promise<T> {
  const pushed = next();
  const committed = redeemed.then(async ({ outcome }) => {
    expect(outcome).toBe('COMMITTED');
    return pushed;
  });
  return Promise.race([pushed, committed]);
}

/** What tells a client to come again; nothing else is worth a retry. */
const PASSING = ['CODE_HELD', 'PROCESSING'];
/** The same for a client that goes on while a store fails. */
export const PASSING_IN_OUTAGES = [...PASSING, 'SERVICE_UNAVAILABLE'];

/**
 * Asks again, each time the other process, for as long as the answer says that it may pass. A redemption answered
 * PROCESSING is COMMITTED when a later answer names it, by its order number, as the one that redeemed the code.
 */
async function redeemPatiently(
  urls: readonly string[],
  wish: RedeemWish,
  { first = 0, passing = PASSING }: { first?: number; passing?: readonly string[] } = {},
): Promise<Redeemed> {
  const deferred = new Set<string | null>();
  for (let attempt = 0; ; attempt += 1) {
    const answer = await redeemOnce(pick(urls, first + attempt), wish);
    if (answer.outcome === 'ALREADY_REDEEMED' && deferred.has(answer.orderNo))
      return { ...answer, outcome: 'COMMITTED' };
    if (!passing.includes(answer.outcome) || attempt === RETRIES_MAX) return answer;
    if (answer.outcome === 'PROCESSING') deferred.add(answer.orderNo);
    await pause(answer.retryAfterMs);
  }
}

/** All wishes in parallel, in turn over the processes; answers in the order of the wishes. */
export async function redeemAll(
  urls: readonly string[],
  wishes: readonly RedeemWish[],
  passing?: readonly string[],
): Promise<Redeemed[]> {
  return inParallel(wishes, async (wish, first) =>
    redeemPatiently(urls, wish, { first, ...(passing === undefined ? {} : { passing }) }),
  );
}

export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  await eachOf(items.entries(), AT_ONCE, async ([index, item]) => {
    results[index] = await work(item, index);
  });
  return results;
}

/** How many answers there are of each kind. */
export function tallyOf(answers: readonly Redeemed[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The different redemptions that answers name. */
export function redemptionsOf(answers: readonly Redeemed[]): Set<string> {
  return new Set(answers.map(({ redemption }) => redemption?.id ?? 'none'));
}

export function pick<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('There is nothing to pick from.');
  return item;
}
