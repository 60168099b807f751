import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Order } from '../../src/orders/orders/order.entity.js';
import { CommitUnknownError } from '../../src/platform/database/sql-errors.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { CommitTransaction } from '../../src/redemption/commit/commit-transaction.js';
import type { AbortRequest } from '../../src/redemption/commit/claim-aborter.js';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { keyDigest } from '../../src/platform/key-digest.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { openClaim, reopen } from '../support/open-claim.js';
import { expectAtRest } from '../support/truth.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  type World,
} from '../support/world.js';

let world: World;
/** Plays a second process on the same stores. */
let other: World;
beforeAll(async () => {
  world = await openWorld();
  other = await openWorld();
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await world?.close();
  await other?.close();
});

async function claimOne(rule: Record<string, unknown> = {}) {
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, 1, { rule });
  const userId = await seedUser(world, tenant.tenantId);
  const claim = await openClaim(world, tenant, codes[0] ?? '', userId);
  return { tenant, tenantId: tenant.tenantId, code: codes[0] ?? '', userId, claim };
}

/** Many claims of one tenant, each with its own user and code. */
async function claimMany(count: number) {
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, count);
  const users = await seedUsers(world, tenant.tenantId, count);
  const claims: Claim[] = [];
  for (const [i, code] of codes.entries()) claims.push(await openClaim(world, tenant, code, users[i] ?? ''));
  return { tenantId: tenant.tenantId, claims };
}

const late = (claim: Claim): AbortRequest => ({ claim, reason: 'DEADLINE_PASSED' });
const asDeferred = (claim: Claim): AbortRequest => ({
  claim: { ...claim, isDeferred: true },
  reason: 'RETRIES_EXHAUSTED',
});

/** How often each id is there, so that "once" is seen to be once. */
async function ordersAndEvents(tenantId: string) {
  const em = emOf(world, tenantId);
  const orders = await em.find(Order, { status: 'FAILED' }, { orderBy: { id: 'asc' } });
  const events = await em.find(OutboxEvent, { type: 'redemption_settled' });
  const told = events.map(({ payload }) => payload).filter(({ status }) => status === 'REFUSED');
  return { orders, told };
}

const idsOf = (claims: readonly Claim[]) => claims.map(({ redemptionId }) => redemptionId).toSorted();

describe('a claim that is given up', () => {
  it('S4.10 is tombstoned before its use is given back, and the code can be redeemed', async () => {
    const { tenantId, code, userId, claim } = await claimOne();
    expect(await world.services.aborter.abort(tenantId, [late(claim)])).toEqual(
      new Map([[claim.redemptionId, 'TOMBSTONED']]),
    );
    expect(await openClaims(world, tenantId)).toBe(1);
    const row = await emOf(world, tenantId).findOneOrFail(Redemption, { id: claim.redemptionId });
    expect(row).toMatchObject({
      status: 'ABORTED',
      abortReason: 'DEADLINE_PASSED',
      useNo: null,
      userUseNo: null,
    });

    expect(await world.services.aborts.abort(tenantId, [late(claim)])).toEqual(
      new Map([[claim.redemptionId, 'ABORTED']]),
    );
    expect(await openClaims(world, tenantId)).toBe(0);
    expect(outcomeOf(await redeem(other, tenantId, userId, code))).toBe('COMMITTED');
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });

  it('cannot be committed any more, however late the commit comes', async () => {
    const { tenantId, claim } = await claimOne();
    await other.services.aborts.abort(tenantId, [late(claim)]);
    expect(await world.services.groupCommit.settle(claim)).toEqual({ kind: 'ABORTED' });
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(0), tombstones: 1 });
    await expectAtRest(world, tenantId);
  });

  it('stays committed where another process has committed it, and is confirmed', async () => {
    const { tenantId, claim } = await claimOne();
    await other.services.groupCommit.settle(claim);
    await reopen(world, claim);
    expect(await world.services.aborts.abort(tenantId, [asDeferred(claim)])).toEqual(
      new Map([[claim.redemptionId, 'COMMITTED']]),
    );
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    expect((await ordersAndEvents(tenantId)).orders).toEqual([]);
    await expectAtRest(world, tenantId);
  });

  it('is settled one way only when commits and requests of many meet', async () => {
    const { tenantId, claims } = await claimMany(120);
    const [settled, ...aborted] = await Promise.all([
      Promise.all(claims.map(async (claim) => world.services.groupCommit.settle(claim))),
      ...[0, 40, 80].map(async (from) =>
        other.services.aborts.abort(tenantId, claims.slice(from, from + 40).map(late)),
      ),
    ]);
    const facts = await factsOf(world, tenantId);
    const committed = settled.filter(({ kind }) => kind === 'COMMITTED' || kind === 'SETTLED').length;
    expect(facts).toEqual({ ...factsAfter(committed), tombstones: claims.length - committed });
    const outcomes = aborted.flatMap((each) => [...each.values()]);
    expect(outcomes.filter((outcome) => outcome === 'COMMITTED')).toHaveLength(committed);
    await expectAtRest(world, tenantId);
  });
});

describe('a claim that was deferred', () => {
  it('S0.11 leaves one failed order and one event, however many give it up at the same time', async () => {
    const { tenantId, claims } = await claimMany(30);
    const runs = await Promise.all(
      [world, other, world, other, world, other].map(async ({ services }, at) =>
        services.aborts.abort(
          tenantId,
          (at % 2 === 0 ? claims : claims.toReversed()).map((claim) => asDeferred(claim)),
        ),
      ),
    );
    const { orders, told } = await ordersAndEvents(tenantId);
    expect(orders.map(({ id }) => id).toSorted()).toEqual(idsOf(claims));
    expect(told.map(({ redemptionId }) => String(redemptionId)).toSorted()).toEqual(idsOf(claims));
    for (const { redemptionId } of claims) {
      const first = runs.filter((run) => run.get(redemptionId) === 'TOMBSTONED');
      expect(first, 'one of them has written the tombstone').toHaveLength(1);
    }
    expect(await emOf(world, tenantId).count(Redemption, { status: 'ABORTED' })).toBe(claims.length);
    await expectAtRest(world, tenantId);
  });

  it('gets its order and event also when the tombstone was there before, and says why', async () => {
    const { tenantId, claim } = await claimOne();
    await emOf(world, tenantId).execute('update code set status = ? where tenant_id = ?', [
      'DISABLED',
      tenantId,
    ]);
    expect(await world.services.groupCommit.settle(claim)).toMatchObject({ kind: 'REFUSED' });
    expect((await ordersAndEvents(tenantId)).orders).toEqual([]);

    const both = [world, other, world, other].map(async ({ services }) =>
      services.aborts.abort(tenantId, [asDeferred(claim)]),
    );
    for (const outcomes of await Promise.all(both)) expect(outcomes.get(claim.redemptionId)).toBe('ABORTED');
    const { orders, told } = await ordersAndEvents(tenantId);
    expect(orders).toMatchObject([
      { id: claim.redemptionId, userId: claim.userId, status: 'FAILED', isNew: true },
    ]);
    expect(told).toEqual([
      {
        redemptionId: claim.redemptionId,
        status: 'REFUSED',
        orderNo: claim.redemptionId,
        codeId: claim.codeId,
        digest: claim.digest,
        campaignId: claim.campaignId,
        useNo: null,
        refusal: 'CODE_INACTIVE',
        winnerId: null,
      },
    ]);
  });

  it('names the redemption that has won its key', async () => {
    const { tenantId, code, userId, claim } = await claimOne({ useLimit: 9 });
    await world.stores.redis.del(`{${tenantId}}:redemption_lock:${userId}:${claim.digest}`);
    const won = await redeem(world, tenantId, userId, code, { idempotencyKey: 'k' });
    const keyed = { ...claim, idempotencyKey: keyDigest(tenantId, userId, 'k') };
    expect(await world.services.groupCommit.settle(keyed)).toMatchObject({ kind: 'REPLAYED' });
    await world.services.aborts.abort(tenantId, [asDeferred(keyed)]);
    const { told } = await ordersAndEvents(tenantId);
    expect(told).toMatchObject([{ refusal: null, winnerId: won.redemption?.id }]);
  });

  it.each(['stands', 'is lost'])('is aborted once when a COMMIT without a verdict %s', async (fate) => {
    const { tenantId, claim } = await claimOne();
    const run = Transactions.prototype.run;
    const broken = vi.spyOn(Transactions.prototype, 'run').mockImplementationOnce(async function broken(
      this: Transactions,
      ...[tenant, work]: Parameters<typeof run>
    ) {
      if (fate === 'stands') await run.call(this, tenant, work);
      throw new CommitUnknownError(new Error('The connection was lost.'));
    });
    await world.services.aborts.abort(tenantId, [asDeferred(claim)]);
    expect(broken).toHaveBeenCalledTimes(2);
    const { orders, told } = await ordersAndEvents(tenantId);
    expect([orders.length, told.length]).toEqual([1, 1]);
    await expectAtRest(world, tenantId);
  });
});

describe('a claim that cannot be committed here', () => {
  it('is confirmed and answered when another process has committed it', async () => {
    const { tenantId, claim } = await claimOne();
    await other.services.groupCommit.settle(claim);
    await reopen(world, claim);
    vi.spyOn(CommitTransaction.prototype, 'commit').mockRejectedValueOnce(new Error('A defect.'));
    expect(await world.services.groupCommit.settle(claim)).toMatchObject({ kind: 'SETTLED' });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    await expectAtRest(world, tenantId);
  });

  it('is released when another process has aborted it', async () => {
    const { tenantId, claim } = await claimOne();
    await other.services.aborter.abort(tenantId, [late(claim)]);
    vi.spyOn(CommitTransaction.prototype, 'commit').mockRejectedValueOnce(new Error('A defect.'));
    expect(await world.services.groupCommit.settle(claim)).toEqual({ kind: 'ABORTED' });
    await expectAtRest(world, tenantId);
  });

  it('S4.10 is aborted, and its caller is answered with the failure', async () => {
    const { tenantId, code, userId, claim } = await claimOne();
    vi.spyOn(CommitTransaction.prototype, 'commit').mockRejectedValueOnce(new Error('A defect.'));
    await expect(world.services.groupCommit.settle(claim)).rejects.toThrow('A defect.');
    await expectAtRest(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('COMMITTED');
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });
});
