import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signedUser, standingCluster, type Cluster } from '../support/cluster.js';
import { factsOf, openClaims } from '../support/facts.js';
import { expectAllRedeemed, note, sceneOf, withLag } from '../support/outage.js';
import { COUNTS_REQUESTS, requestsTakenBy } from '../support/processes.js';
import { RawSocket, type Frame } from '../support/raw-socket.js';
import { inParallel, redeemOnce, tallyOf, type RedeemWish } from '../support/redeemers.js';

const STOPPED_MS_MAX = 5000;
/** Answers after which the process is asked to stop. */
const MIDDLE = 30;
/**
 * Client errors of a request that was not taken. A connection that the system accepted and the process never saw is
 * reset when listening ends, and an idle one may be closed while a request is on its way to it.
 */
const NOT_TAKEN = new Set(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

/** An answer, or why the process could not be asked. */
async function askOrFail(url: string, wish: RedeemWish) {
  try {
    return { answer: await redeemOnce(url, wish), failure: null };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    return { answer: null, failure: cause?.code ?? String(error) };
  }
}

describe('a process that is asked to stop in the middle of hundreds of redemptions', () => {
  it('S0.10 answers every request that it took, leaves no claim open, and ends with code 0', async () => {
    const leaving = await cluster.further(COUNTS_REQUESTS);
    const scene = await sceneOf(cluster, 400);
    let replied = 0;
    const isMiddle = Promise.withResolvers<void>();
    const asked = inParallel(scene.wishes, async (wish) => {
      const reply = await askOrFail(leaving.url, wish);
      replied += 1;
      if (replied === MIDDLE) isMiddle.resolve();
      return reply;
    });
    await isMiddle.promise;
    const stop = async (): Promise<number> => {
      const from = performance.now();
      await leaving.stop();
      return Math.round(performance.now() - from);
    };
    const { result: stoppedMs, lagMs } = await withLag(cluster.urls, stop);
    const replies = await asked;
    const answers = replies.flatMap(({ answer }) => (answer === null ? [] : [answer]));
    const failures = new Set(replies.flatMap(({ failure }) => failure ?? []));
    note('stop under load', { 'stopped ms': stoppedMs, answered: answers.length });
    expect(answers.length, 'answers of requests taken').toBe(requestsTakenBy(leaving));
    expect([...failures].filter((failure) => !NOT_TAKEN.has(failure))).toEqual([]);
    expect(failures).toContain('ECONNREFUSED');
    expect(tallyOf(answers)).toEqual({ COMMITTED: answers.length });
    expect(answers.length).toBeGreaterThanOrEqual(MIDDLE);
    expect(await openClaims(cluster.world, scene.tenantId)).toBe(0);
    const { committed, orders, used } = await factsOf(cluster.world, scene.tenantId);
    expect([committed, orders, used], 'nothing without an answer').toEqual(
      Array.from({ length: 3 }, () => answers.length),
    );
    expect(stoppedMs).toBeLessThanOrEqual(STOPPED_MS_MAX + 2 * lagMs);
    await expectAllRedeemed(cluster, scene);
  });

  it('S0.10 answers over sockets, too, and closes them with 1001 after that', async () => {
    // Small commits, one after the other: with the first answer most requests are still under way.
    const leaving = await cluster.further({ COMMIT_BATCH_MAX: '2', COMMIT_LANES: '1' });
    const scene = await sceneOf(cluster, 30);
    const sockets = await Promise.all(
      scene.wishes.map(async ({ user }) =>
        RawSocket.ready(leaving.url, { authorization: `Bearer ${user.token}`, 'x-product-code': 'DEMO' }),
      ),
    );
    const user = await signedUser(cluster.world, scene.tenantId);
    const idle = await RawSocket.ready(leaving.url, { authorization: `Bearer ${user.token}` });
    idle.subscribe('1', 'subscription { redemptionSettled { eventId } }');
    for (const [at, socket] of sockets.entries()) {
      const { code, key } = scene.wishes[at] ?? { code: '', key: '' };
      const input = `{ code: "${code}", idempotencyKey: "${key}" }`;
      socket.subscribe('1', `mutation { redeemCode(input: ${input}) { status } }`);
    }
    const answering = sockets.map(async (socket) => socket.next());
    await Promise.race(answering);
    const stopped = leaving.stop();
    const frames = await Promise.all(answering);
    expect(frames.map(statusOf)).toEqual(frames.map(() => 'COMMITTED'));
    const codes = await Promise.all([...sockets, idle].map(async (socket) => (await socket.closed).code));
    expect(new Set(codes)).toEqual(new Set([1001]));
    await stopped;
    expect(await openClaims(cluster.world, scene.tenantId)).toBe(0);
    await expectAllRedeemed(cluster, scene);
  });
});

function statusOf({ payload }: Frame): unknown {
  return (payload as { data?: { redeemCode?: { status?: string } } }).data?.redeemCode?.status;
}
