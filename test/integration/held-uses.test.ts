import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RedeemAnswer } from '../../src/redemption/redeem/redeem-request.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { openClaim } from '../support/open-claim.js';
import { seedCode } from '../support/deferred.js';
import { holdCode } from '../support/row-lock.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  tally,
  type World,
} from '../support/world.js';

/** On a busy machine a commit takes its time; these tests are about answers and counts. */
const PATIENT = { HELD_WAIT_MS: '20000' };

let world: World;
/** Plays a second process on the same stores. */
let other: World;
/** Waits as long as the product does by default. */
let ordinary: World;
beforeAll(async () => {
  world = await openWorld(PATIENT);
  other = await openWorld(PATIENT);
  ordinary = await openWorld();
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await Promise.all([world, other, ordinary].map(async (each) => each?.close()));
});

/** Everybody asks once for the same code, in parallel and in turn over these processes. */
async function race(
  processes: readonly World[],
  tenantId: string,
  users: readonly string[],
  code: string,
): Promise<RedeemAnswer[]> {
  return Promise.all(
    users.map(async (userId, at) =>
      redeem(processes[at % processes.length] ?? world, tenantId, userId, code),
    ),
  );
}

/** How often a process looks at a code at most: once in 50 ms, and a few times more at first and at its own commits. */
const looksWithin = (ms: number): number => ms / 50 + 10;

describe('X.17 a loser of a race for the last uses', () => {
  it('answers CODE_EXHAUSTED to each of 999 users in two processes, who ask Redis once again and share one wait', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const users = await seedUsers(world, tenantId, 1000);
    const claims = [world, other].map(({ services }) => vi.spyOn(services.redemptionRedis, 'claim'));
    const looks = [world, other].map(({ services }) => vi.spyOn(services.redemptionRedis, 'areUsesHeld'));
    const startMs = performance.now();
    const answers = await race([world, other], tenantId, users, codes[0] ?? '');
    const looksMax = looksWithin(performance.now() - startMs);
    expect(tally(answers)).toEqual({ COMMITTED: 1, CODE_EXHAUSTED: 999 });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    const calls = (spies: readonly { mock: { calls: unknown[] } }[]): number =>
      spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    expect(calls(claims)).toBeLessThanOrEqual(2 * 1000);
    expect(calls(looks)).toBeLessThanOrEqual(2 * looksMax);
  });

  it.each([2, 7])(
    'of a code of %i uses is answered CODE_EXHAUSTED, and no use is left over',
    async (useLimit) => {
      const tenant = await seedTenant(world);
      const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit } });
      const users = await seedUsers(world, tenant.tenantId, 200);
      const answers = await race([world, other], tenant.tenantId, users, codes[0] ?? '');
      expect(tally(answers)).toEqual({ COMMITTED: useLimit, CODE_EXHAUSTED: 200 - useLimit });
      expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(useLimit));
    },
  );

  it('waits for a claim of another process, and is answered CODE_EXHAUSTED once that is committed', async () => {
    const { tenantId, code, userId, ...tenant } = await seedCode(world);
    const claim = await openClaim(world, { tenantId, ...tenant }, code, userId);
    const waiting = race([world], tenantId, await seedUsers(world, tenantId, 20), code);
    await pause(100);
    expect((await other.services.groupCommit.settle(claim)).kind).toBe('COMMITTED');
    expect(tally(await waiting)).toEqual({ CODE_EXHAUSTED: 20 });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });

  it('claims the use of a claim that is aborted during the wait, by its own process or another one', async () => {
    for (const giver of [world, other]) {
      const { tenantId, code, userId, ...tenant } = await seedCode(world);
      const claim = await openClaim(world, { tenantId, ...tenant }, code, userId);
      const waiting = race([world, other], tenantId, await seedUsers(world, tenantId, 50), code);
      await pause(100);
      await giver.services.aborts.abort(tenantId, [{ claim, reason: 'TEST' }]);
      expect(tally(await waiting)).toEqual({ COMMITTED: 1, CODE_EXHAUSTED: 49 });
      expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
      expect(await openClaims(world, tenantId)).toBe(0);
    }
  });

  it('gets a use that the database refused to another user', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 41, {
      rule: { useLimit: 5 },
      campaign: { userLimitTotal: 1 },
    });
    const [code = '', ...others] = codes;
    const [limited, fresh] = [await seedUsers(world, tenantId, 40), await seedUsers(world, tenantId, 40)];
    // Redis does not know that a limit is reached until the database has refused a user by it.
    await Promise.all(limited.map(async (userId, at) => redeem(world, tenantId, userId, others[at] ?? '')));
    const users = limited.flatMap((userId, at) => [userId, fresh[at] ?? '']);
    const answers = await race([world, other], tenantId, users, code);
    const ofFresh = answers.filter((_answer, at) => at % 2 === 1);
    expect(tally(ofFresh)).toEqual({ COMMITTED: 5, CODE_EXHAUSTED: 35 });
    const ofLimited = new Set(answers.filter((_answer, at) => at % 2 === 0).map(outcomeOf));
    expect([...ofLimited].every((one) => one === 'USER_LIMIT_REACHED' || one === 'CODE_EXHAUSTED')).toBe(
      true,
    );
    expect(await factsOf(world, tenantId)).toMatchObject({ committed: 45, used: 45 });
  });
});

describe('X.17 a claim that takes longer', () => {
  it('is waited for 500 ms, and answered CODE_HELD with the time to wait', async () => {
    const { tenantId, code, codeId } = await seedCode(world);
    const [winner = '', loser = ''] = await seedUsers(world, tenantId, 2);
    const letGo = await holdCode(world, tenantId, codeId);
    const winning = redeem(other, tenantId, winner, code);
    await expect.poll(async () => openClaims(world, tenantId)).toBe(1);
    const startMs = performance.now();
    const answer = await redeem(ordinary, tenantId, loser, code);
    expect(performance.now() - startMs).toBeGreaterThan(450);
    expect(answer.refusal).toEqual({ code: 'CODE_HELD', retryAfterMs: 1000 });
    await letGo();
    expect(outcomeOf(await winning)).toBe('COMMITTED');
    expect(outcomeOf(await redeem(ordinary, tenantId, loser, code))).toBe('CODE_EXHAUSTED');
  });

  it('is waited for by each attempt as long: one that comes later is not told CODE_HELD with the first', async () => {
    const process = await openWorld({ HELD_WAIT_MS: '4000' });
    try {
      const { tenantId, code, userId, ...tenant } = await seedCode(world);
      const [first = '', ...later] = await seedUsers(world, tenantId, 11);
      const claim = await openClaim(world, { tenantId, ...tenant }, code, userId);
      const looks = vi.spyOn(process.services.redemptionRedis, 'areUsesHeld');
      const startMs = performance.now();
      const firstAnswer = redeem(process, tenantId, first, code);
      await expect.poll(() => looks.mock.calls.length).toBeGreaterThan(0);
      await pause(2500);
      const laterAnswers = race([process], tenantId, later, code);
      expect(outcomeOf(await firstAnswer)).toBe('CODE_HELD');
      expect((await other.services.groupCommit.settle(claim)).kind).toBe('COMMITTED');
      expect(tally(await laterAnswers)).toEqual({ CODE_EXHAUSTED: 10 });
      // However many wait, and for how long.
      expect(looks.mock.calls.length).toBeLessThanOrEqual(looksWithin(performance.now() - startMs));
    } finally {
      await process.close();
    }
  });
});

describe('X.17 a preview of a code whose last use is held', () => {
  const preview = async (process: World, tenantId: string, userId: string, code: string) => {
    const request = { tenantId, userId, code, productCode: 'DEMO', deviceId: null, idempotencyKey: null };
    return (await process.services.previews.preview(request)).refusal;
  };

  it('waits for the claim, and answers as a redemption would: CODE_EXHAUSTED, or nothing in the way', async () => {
    for (const isCommitted of [true, false]) {
      const { tenantId, code, userId, ...tenant } = await seedCode(world);
      const [asking = ''] = await seedUsers(world, tenantId, 1);
      const claim = await openClaim(world, { tenantId, ...tenant }, code, userId);
      await world.services.copies.evict(tenantId, claim.digest, 1);
      const previewed = preview(world, tenantId, asking, code);
      await pause(100);
      if (isCommitted) await other.services.groupCommit.settle(claim);
      else await other.services.aborts.abort(tenantId, [{ claim, reason: 'TEST' }]);
      expect((await previewed)?.code ?? null).toBe(isCommitted ? 'CODE_EXHAUSTED' : null);
    }
  });

  it('answers CODE_HELD after 500 ms, with the time to wait', async () => {
    const { tenantId, code, userId, ...tenant } = await seedCode(world);
    const [asking = ''] = await seedUsers(world, tenantId, 1);
    const claim = await openClaim(world, { tenantId, ...tenant }, code, userId);
    const startMs = performance.now();
    expect(await preview(ordinary, tenantId, asking, code)).toEqual({
      code: 'CODE_HELD',
      retryAfterMs: 1000,
    });
    expect(performance.now() - startMs).toBeGreaterThan(450);
    await other.services.groupCommit.settle(claim);
  });
});

describe('X.17 a limit that other claims are about to reach', () => {
  it('is final: one user with 20 codes and a limit of 3', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 20, { campaign: { userLimitTotal: 3 } });
    const [userId = ''] = await seedUsers(world, tenant.tenantId, 1);
    const answers = await Promise.all(
      codes.map(async (code, at) => redeem(at % 2 === 0 ? world : other, tenant.tenantId, userId, code)),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 3, USER_LIMIT_REACHED: 17 });
  });

  it('is final: 100 users of one code, and a budget of 25', async () => {
    const tenant = await seedTenant(world);
    const options = { rule: { useLimit: 40 }, campaign: { budgetUses: 25 } };
    const { codes } = await seedCampaign(world, tenant, 1, options);
    const users = await seedUsers(world, tenant.tenantId, 100);
    const answers = await race([world, other], tenant.tenantId, users, codes[0] ?? '');
    expect(tally(answers)).toEqual({ COMMITTED: 25, BUDGET_EXHAUSTED: 75 });
    expect(await factsOf(world, tenant.tenantId)).toMatchObject({ committed: 25, used: 25 });
  });
});
