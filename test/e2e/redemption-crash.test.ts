import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { present } from '../../src/platform/assert.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { signedUsers, startCluster, type Cluster } from '../support/cluster.js';
import { openClaims } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { startOwnStores } from '../support/own-stores.js';
import type { RunningProcess } from '../support/processes.js';
import {
  PASSING_IN_OUTAGES,
  redeemAll,
  redeemOnce,
  tallyOf,
  type Redeemed,
  type RedeemWish,
} from '../support/redeemers.js';
import { holdCodes } from '../support/row-lock.js';
import { expectAtRest, expectExactly, truthOf } from '../support/truth.js';
import { emOf, seedCampaign, seedTenant } from '../support/world.js';

const DEADLINE_MS = 5000;
const SWEEP_EVERY_MS = 500;
/** What a sweep itself may take on an overloaded machine. */
const SWEEP_MS = 40_000;

let cluster: Cluster;
openBeforeAll(async (closing) => {
  // One test pauses Redis.
  const stores = await closing(startOwnStores());
  const environment = {
    CLAIM_DEADLINE_MS: String(DEADLINE_MS),
    SWEEP_EVERY_MS: String(SWEEP_EVERY_MS),
    // Callers wait for what becomes of their claims.
    REPLY_WITHIN_MS: '60000',
  };
  cluster = await closing(startCluster({ ...stores, mayComplain: true, environment }));
});

interface Scene {
  readonly tenantId: string;
  readonly wishes: readonly RedeemWish[];
  /** Wishes of other users for the same codes. */
  readonly rivals: readonly RedeemWish[];
  readonly victim: RunningProcess;
}

/** Single-use codes, each wanted by two users; every first user sends a key. */
async function prepare(count: number): Promise<Scene> {
  const { world } = cluster;
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, count);
  const users = await signedUsers(world, tenant.tenantId, 2 * count);
  const wishOf = (code: string, index: number): RedeemWish => {
    const user = users[index];
    if (user === undefined) throw new Error('There are too few users.');
    return { user, code };
  };
  const wishes = codes.map((code, index) => ({ ...wishOf(code, index), key: `key-${index}` }));
  const rivals = codes.map((code, index) => wishOf(code, count + index));
  return { tenantId: tenant.tenantId, wishes, rivals, victim: await warmProcess() };
}

/** One that has redeemed before: all claims of a test are to be made before the deadline of the first. */
async function warmProcess(): Promise<RunningProcess> {
  const { world } = cluster;
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, 1);
  const [user] = await signedUsers(world, tenant.tenantId, 1);
  const further = await cluster.further();
  await redeemOnce(further.url, { user: present(user, 'A user'), code: codes[0] ?? '' });
  return further;
}

/** What a request came to: its answer, or null where the process died under it. */
type Fate = Redeemed | null;

/** Sends the requests to the victim and delays their commits; `whileHeld` begins when all claims are made. */
async function holdCommits(scene: Scene, whileHeld: () => Promise<void>): Promise<Promise<Fate[]>[]> {
  const { tenantId, wishes, victim } = scene;
  const letGo = await holdCodes(cluster.world, tenantId);
  const answers = Promise.all(wishes.map(async (wish) => redeemOnce(victim.url, wish).catch(() => null)));
  await vi.waitFor(async () => expect(await openClaims(cluster.world, tenantId)).toBe(wishes.length), {
    timeout: DEADLINE_MS,
    interval: 20,
  });
  await whileHeld();
  await letGo();
  // In a list, because `await` would wait for a promise that is returned.
  return [answers];
}

/** By Redis' clock. */
async function nowMs(): Promise<number> {
  const [seconds, micros] = await cluster.world.stores.redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

async function deadlines(tenantId: string): Promise<{ first: number; last: number }> {
  const { redis: commands } = cluster.world.stores;
  const score = async (at: string) =>
    Number((await commands.zrange(`{${tenantId}}:open`, at, at, 'WITHSCORES'))[1]);
  return { first: await score('0'), last: await score('-1') };
}

/** Waits until no claim is open, and proves that this was behind the deadlines, but not long. */
async function expectSwept(
  tenantId: string,
  { first, last }: { first: number; last: number },
): Promise<void> {
  const bound = last + SWEEP_EVERY_MS + SWEEP_MS;
  while ((await openClaims(cluster.world, tenantId)) > 0) {
    expect(await nowMs(), 'claims are open').toBeLessThan(bound);
    await pause(20);
  }
  expect(await nowMs(), 'not before the deadline').toBeGreaterThanOrEqual(first);
}

/** Each caller answered PROCESSING has a failed order and its event; no other caller has. */
async function expectRefused(tenantId: string, answers: readonly Redeemed[]): Promise<void> {
  const deferred = answers.flatMap(({ outcome, orderNo }) =>
    outcome === 'PROCESSING' ? [orderNo ?? ''] : [],
  );
  await vi.waitFor(
    async () => {
      const { orders, events } = await truthOf(cluster.world, tenantId);
      const failed = orders.filter(({ status }) => status === 'FAILED').map(({ id }) => id);
      expect(failed.toSorted()).toEqual(deferred.toSorted());
      const told = events.filter(({ payload }) => payload['status'] === 'REFUSED');
      expect(told.map(({ payload }) => String(payload['orderNo'])).toSorted()).toEqual(deferred.toSorted());
    },
    { timeout: 100_000, interval: 100 },
  );
}

const answered = (fates: readonly Fate[]): Redeemed[] => fates.filter((fate) => fate !== null);

describe('a process that is killed', () => {
  it('S0.10 between claim and commit gives its uses back, and the codes can be redeemed', async () => {
    const scene = await prepare(20);
    const { tenantId, wishes, rivals, victim } = scene;
    let due = { first: 0, last: 0 };
    const [fates] = await holdCommits(scene, async () => {
      due = await deadlines(tenantId);
      await victim.kill();
    });
    expect(answered((await fates) ?? [])).toEqual([]);
    await expectSwept(tenantId, due);
    const { redemptions } = await truthOf(cluster.world, tenantId);
    expect(redemptions.map(({ status, abortReason }) => [status, abortReason])).toEqual(
      wishes.map(() => ['ABORTED', 'DEADLINE_PASSED']),
    );
    // Half of the users come again with their keys; of the other codes their rivals are the first.
    const again = [...wishes.slice(0, 10), ...rivals.slice(10)];
    const answers = await redeemAll(cluster.urls, again);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 20 });
    await expectExactly(cluster.world, tenantId, 20, answers);
  });

  it('S0.9 behind the commit keeps its redemptions: they are confirmed, and a retry gets the same answer', async () => {
    const scene = await prepare(20);
    const { tenantId, wishes, rivals, victim } = scene;
    const { redis: commands } = cluster.world.stores;
    let due = { first: 0, last: 0 };
    const [fates] = await holdCommits(scene, async () => {
      due = await deadlines(tenantId);
      // From here on no confirm comes through.
      await commands.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    });
    const em = emOf(cluster.world, tenantId);
    await vi.waitFor(async () => expect(await em.count(Redemption, { status: 'COMMITTED' })).toBe(20), {
      timeout: 60_000,
      interval: 20,
    });
    await victim.kill();
    // What the dead process has sent already must not be carried out; and the deadline may have passed by now.
    process.kill(cluster.worker.pid, 'SIGSTOP');
    await commands.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await commands.call('CLIENT', 'UNPAUSE');
    expect(answered((await fates) ?? [])).toEqual([]);
    expect(await openClaims(cluster.world, tenantId)).toBe(20);
    process.kill(cluster.worker.pid, 'SIGCONT');
    await vi.waitFor(async () => expect(await openClaims(cluster.world, tenantId)).toBe(0), {
      timeout: DEADLINE_MS + SWEEP_EVERY_MS + SWEEP_MS,
      interval: 20,
    });
    expect(due.last).toBeGreaterThan(0);

    const rows = (await truthOf(cluster.world, tenantId)).committed;
    const answers = await redeemAll(cluster.urls, wishes);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 20 });
    for (const { wish, redemption } of answers)
      expect(rows.find(({ id }) => id === redemption?.id)?.userId).toBe(wish.user.userId);
    expect(tallyOf(await redeemAll(cluster.urls, rivals))).toEqual({ CODE_EXHAUSTED: 20 });
    await expectExactly(cluster.world, tenantId, 20, answers);
  });
});

describe('a process that is paused between claim and commit, past the deadline', () => {
  it('starts again with new ids when it resumes, and each code is redeemed once', async () => {
    const scene = await prepare(20);
    const { tenantId, victim, rivals } = scene;
    let due = { first: 0, last: 0 };
    const [fates] = await holdCommits(scene, async () => {
      due = await deadlines(tenantId);
      process.kill(victim.pid, 'SIGSTOP');
    });
    await expectSwept(tenantId, due);
    const before = await truthOf(cluster.world, tenantId);
    expect(before.redemptions.map(({ status }) => status)).toEqual(rivals.map(() => 'ABORTED'));

    const rivalAnswers = redeemAll(cluster.urls, rivals.slice(0, 10));
    process.kill(victim.pid, 'SIGCONT');
    const own = answered((await fates) ?? []);
    await victim.stop();
    // A second start whose reads or commit take too long on a busy machine: such a caller asks again with its key.
    const isTold = ({ outcome }: Redeemed): boolean =>
      !['SERVICE_UNAVAILABLE', 'PROCESSING'].includes(outcome);
    const told = own.filter(isTold);
    const again = own.filter((each) => !told.includes(each)).map(({ wish }) => wish);
    expect(told.length, 'answers after the pause').toBeGreaterThan(0);
    const answers = [...told, ...(await redeemAll(cluster.urls, again)), ...(await rivalAnswers)];
    expect(answers).toHaveLength(30);
    // Ten codes were wanted by one user only, and ten by two.
    expect(tallyOf(answers)).toEqual({ COMMITTED: 20, CODE_EXHAUSTED: 10 });
    const after = await expectExactly(cluster.world, tenantId, 20, answers);
    const aborted = new Set(before.redemptions.map(({ id }) => id));
    for (const { id } of after.committed) expect(aborted.has(id)).toBe(false);
  });

  it('delays other requests only briefly, and changes nothing when it resumes after the deadline', async () => {
    const scene = await prepare(10);
    const { tenantId, victim, rivals } = scene;
    let due = { first: 0, last: 0 };
    const [fates] = await holdCommits(scene, async () => {
      due = await deadlines(tenantId);
      process.kill(victim.pid, 'SIGSTOP');
    });
    await expectSwept(tenantId, due);
    // Its transaction may hold the rows of the codes until the server ends it.
    const answers = await redeemAll(cluster.urls, rivals, PASSING_IN_OUTAGES);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 10 });
    process.kill(victim.pid, 'SIGCONT');
    const late = answered((await fates) ?? []);
    await victim.stop();
    expect(late).toHaveLength(10);
    const outcomes = ['SERVICE_UNAVAILABLE', 'CODE_EXHAUSTED', 'PROCESSING'];
    for (const { outcome } of late) expect(outcomes).toContain(outcome);
    await expectRefused(tenantId, late);
    const { codes, committed } = await truthOf(cluster.world, tenantId);
    expect(committed.map(({ userId }) => userId).toSorted()).toEqual(
      rivals.map(({ user }) => user.userId).toSorted(),
    );
    expect(codes.map(({ used }) => used)).toEqual(rivals.map(() => 1));
    await expectAtRest(cluster.world, tenantId);
  });
});
