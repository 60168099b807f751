import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.js';
import {
  standingCluster,
  signedUsers,
  staffToken,
  type Cluster,
  type SignedUser,
} from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { inParallel, pick, redeemAll, redeemOnce, tallyOf, type Redeemed } from '../support/redeemers.js';
import { expectExactly, truthOf, type Truth } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

/** While it was surely off: from the answer to switching off until switching on was asked for. */
interface OffTime {
  readonly acknowledgedMs: number;
  readonly endAskedMs: number;
}

async function seeded(codeCount: number, userCount: number, useLimit = 1) {
  const { world } = cluster;
  const tenant = await seedTenant(world);
  const { codes, campaignId } = await seedCampaign(world, tenant, codeCount, { rule: { useLimit } });
  const users = await signedUsers(world, tenant.tenantId, userCount);
  return { ...tenant, codes, campaignId, users, staff: staffFor(tenant.tenantId) };
}

const INPUTS = {
  pauseCampaign: 'CampaignIdInput',
  resumeCampaign: 'CampaignIdInput',
  setCodeEnabled: 'SetCodeEnabledInput',
  updateCode: 'UpdateCodeInput',
  deleteCodes: 'DeleteCodesInput',
  freezeBatch: 'BatchIdInput',
  unfreezeBatch: 'BatchIdInput',
  voidBatch: 'BatchIdInput',
} as const;

/** What staff do, by turns over both processes. Returns the refusal's code, or null. */
function staffFor(tenantId: string) {
  const token = staffToken(cluster.world, tenantId);
  let turn = 0;
  return async (mutation: keyof typeof INPUTS, input: Record<string, unknown>): Promise<string | null> => {
    turn += 1;
    const query = `mutation ($input: ${INPUTS[mutation]}!) { done: ${mutation}(input: $input) { errors { code } } }`;
    const call = { query, variables: { input }, token };
    const answer = await graphqlRequest<{ done: { errors: { code: string }[] } }>(
      pick(cluster.urls, turn),
      call,
    );
    if (!answer.data) throw new Error(JSON.stringify(answer.errors));
    return answer.data.done.errors[0]?.code ?? null;
  };
}

interface Switch {
  off(): Promise<void>;
  on(): Promise<void>;
  /** Redemptions that could succeed if it were on. */
  probe(): Promise<Redeemed[]>;
}

/** Switches off and on while users redeem; answers when it was surely off, and the answers of that time. */
async function toggleWhile({ off, on, probe }: Switch, work: Promise<unknown>) {
  const times: OffTime[] = [];
  const probed: Redeemed[] = [];
  const end = new AbortController();
  const done = work.finally(() => end.abort());
  // On a busy machine no user would redeem in the shortest time.
  let onMs = 40;
  while (!end.signal.aborted || times.length === 0) {
    await pause(onMs);
    const offSinceMs = performance.now();
    await off();
    const acknowledgedMs = systemClock.nowMs();
    probed.push(...(await probe()));
    times.push({ acknowledgedMs, endAskedMs: systemClock.nowMs() });
    await on();
    onMs = Math.max(onMs, (performance.now() - offSinceMs) / 2);
  }
  await done;
  return { times, probed };
}

function settledWhileOff(times: readonly OffTime[], { committed }: Truth) {
  const isOff = (ms: number) => times.some((time) => ms > time.acknowledgedMs && ms < time.endAskedMs);
  return committed.filter(({ settledAt }) => isOff(settledAt.getTime()));
}

/** Each user tries until the code is theirs; every answer is kept. */
async function redeemStubbornly(user: SignedUser, code: string, index: number): Promise<Redeemed[]> {
  const answers: Redeemed[] = [];
  for (let turn = index; turn < index + 500; turn += 1) {
    const answer = await redeemOnce(pick(cluster.urls, turn), { user, code });
    answers.push(answer);
    if (answer.outcome === 'COMMITTED') break;
    await pause(20);
  }
  return answers;
}

describe('a campaign that is paused and resumed while 200 users redeem', () => {
  it('S0.17 S4.8 commits nothing while it is paused, and in the end each code once', async () => {
    const { world, urls } = cluster;
    const { tenantId, codes, users, campaignId, staff } = await seeded(204, 204);
    const wishes = users.map((user, index) => ({ user, code: codes[index] ?? '' }));
    const step = (mutation: 'pauseCampaign' | 'resumeCampaign') => async () =>
      expect(await staff(mutation, { campaignId })).toBeNull();
    const campaign: Switch = {
      off: step('pauseCampaign'),
      on: step('resumeCampaign'),
      probe: async () => redeemAll(urls, wishes.slice(200)),
    };
    const work = inParallel(wishes.slice(0, 200), async ({ user, code }, index) =>
      redeemStubbornly(user, code, index),
    );
    const { times, probed } = await toggleWhile(campaign, work);
    expect(tallyOf(probed)).toEqual({ CAMPAIGN_NOT_ACTIVE: times.length * 4 });
    const answers = (await work).flat();
    expect(Object.keys(tallyOf(answers)).toSorted()).toEqual(['CAMPAIGN_NOT_ACTIVE', 'COMMITTED']);
    const truth = await expectExactly(world, tenantId, 200, answers);
    expect(settledWhileOff(times, truth)).toEqual([]);
  });

  it('S0.17 S4.8 a pause and a resume count from their answer on, in both processes', async () => {
    const { world, urls } = cluster;
    const { tenantId, codes, users, campaignId, staff } = await seeded(80, 80);
    const answers: Redeemed[] = [];
    for (let round = 0; round < 8; round += 1) {
      const wishes = users
        .slice(round * 10, round * 10 + 10)
        .map((user, index) => ({ user, code: codes[round * 10 + index] ?? '' }));
      expect(await staff('pauseCampaign', { campaignId })).toBeNull();
      const refused = await redeemAll(urls, wishes);
      expect(tallyOf(refused)).toEqual({ CAMPAIGN_NOT_ACTIVE: 10 });
      expect((await truthOf(world, tenantId)).committed).toHaveLength(round * 10);
      expect(await staff('resumeCampaign', { campaignId })).toBeNull();
      const done = await redeemAll(urls, wishes);
      expect(tallyOf(done)).toEqual({ COMMITTED: 10 });
      answers.push(...refused, ...done);
    }
    await expectExactly(world, tenantId, 80, answers);
  });
});

describe('a code that staff change while it is redeemed', () => {
  it('S0.17 switched off and on under 200 users, it is redeemed by each of them once, and never while it is off', async () => {
    const { world, urls } = cluster;
    const { tenantId, codes, users, staff } = await seeded(1, 204, 0);
    const codeId = (await truthOf(world, tenantId)).codes[0]?.id ?? '';
    const wishes = users.map((user) => ({ user, code: codes[0] ?? '' }));
    const enable = (enabled: boolean) => async () =>
      expect(await staff('setCodeEnabled', { codeId, enabled })).toBeNull();
    const code: Switch = {
      off: enable(false),
      on: enable(true),
      probe: async () => redeemAll(urls, wishes.slice(200)),
    };
    const work = inParallel(wishes.slice(0, 200), async (wish, index) =>
      redeemStubbornly(wish.user, wish.code, index),
    );
    const { times, probed } = await toggleWhile(code, work);
    expect(tallyOf(probed)).toEqual({ CODE_INACTIVE: times.length * 4 });
    const answers = (await work).flat();
    expect(Object.keys(tallyOf(answers)).toSorted()).toEqual(['CODE_INACTIVE', 'COMMITTED']);
    const truth = await expectExactly(world, tenantId, 200, answers);
    expect(settledWhileOff(times, truth)).toEqual([]);
  });

  it('S0.17 S0.3 disabled or deleted at the very moment, it is redeemed or refused, and from then on refused', async () => {
    const { world, urls } = cluster;
    const { tenantId, codes, users, staff } = await seeded(60, 120, 2);
    const ids = new Map((await truthOf(world, tenantId)).codes.map(({ codeText, id }) => [codeText, id]));
    const answers = await inParallel(codes, async (code, index) => {
      const codeId = ids.get(code) ?? '';
      const isDeletion = index % 2 === 0;
      const change = isDeletion
        ? staff('deleteCodes', { codeIds: [codeId] })
        : staff('setCodeEnabled', { codeId, enabled: false });
      const race = redeemOnce(pick(urls, index), { user: pick(users, index), code });
      expect(await change).toBeNull();
      const late = await redeemOnce(pick(urls, index + 1), { user: pick(users, index + 60), code });
      expect(late.outcome).toBe(isDeletion ? 'CODE_NOT_FOUND' : 'CODE_INACTIVE');
      const early = await race;
      expect(['COMMITTED', late.outcome]).toContain(early.outcome);
      return early;
    });
    const committed = answers.filter(({ outcome }) => outcome === 'COMMITTED');
    await expectExactly(world, tenantId, committed.length, answers);
  });

  it('S0.17 a use limit that is lowered in the middle of a race holds, or is refused as too low', async () => {
    const { world, urls } = cluster;
    const { tenantId, codes, users, staff } = await seeded(1, 200, 100);
    const codeId = (await truthOf(world, tenantId)).codes[0]?.id ?? '';
    const race = redeemAll(
      urls,
      users.map((user) => ({ user, code: codes[0] ?? '' })),
    );
    let limit = 100;
    for (const wanted of [80, 60, 40, 20]) {
      const refusal = await staff('updateCode', { codeId, useLimit: wanted });
      expect([null, 'USE_LIMIT_BELOW_USED']).toContain(refusal);
      if (refusal === null) limit = wanted;
    }
    const answers = await race;
    expect(tallyOf(answers)).toEqual({ COMMITTED: limit, CODE_EXHAUSTED: 200 - limit });
    await expectExactly(world, tenantId, limit, answers);

    // Raised again, it gives exactly the added uses, to users who had got none.
    expect(await staff('updateCode', { codeId, useLimit: limit + 10 })).toBeNull();
    const empty = answers.filter(({ outcome }) => outcome === 'CODE_EXHAUSTED');
    const late = await redeemAll(
      urls,
      empty.map(({ wish }) => wish),
    );
    expect(tallyOf(late)).toEqual({ COMMITTED: 10, CODE_EXHAUSTED: empty.length - 10 });
    await expectExactly(world, tenantId, limit + 10, [...answers, ...late]);
  });

  it('S0.17 X.11 a frozen batch gives nothing until it is unfrozen, a voided one never again', async () => {
    const { world, urls } = cluster;
    const { tenantId, codes, users, staff } = await seeded(40, 40);
    const batchId = (await truthOf(world, tenantId)).codes[0]?.batchId ?? '';
    const wishes = users.map((user, index) => ({ user, code: codes[index] ?? '' }));
    const race = redeemAll(urls, wishes.slice(0, 20));
    expect(await staff('freezeBatch', { batchId })).toBeNull();
    const frozen = await redeemAll(urls, wishes.slice(20));
    expect(tallyOf(frozen)).toEqual({ CODE_INACTIVE: 20 });
    const early = await race;
    expect(await staff('unfreezeBatch', { batchId })).toBeNull();
    const thawed = await redeemAll(urls, wishes.slice(20, 30));
    expect(tallyOf(thawed)).toEqual({ COMMITTED: 10 });
    expect(await staff('voidBatch', { batchId })).toBeNull();
    expect(tallyOf(await redeemAll(urls, wishes.slice(30)))).toEqual({ CODE_INACTIVE: 10 });
    const answers = [...early, ...thawed];
    await expectExactly(world, tenantId, 10 + (tallyOf(early)['COMMITTED'] ?? 0), answers);
  });
});
