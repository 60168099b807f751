import { describe, expect, it } from 'vitest';
import { present } from '../../src/platform/assert.js';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { factsAfter, factsOf } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { forget, openClaim } from '../support/open-claim.js';
import { driftsAtRest } from '../support/reversals.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { execute, oddOf, openShops, settle, transactionsOf } from '../support/shared-commits.js';
import { openWorld, seedCampaign, seedTenant, seedUsers, type World } from '../support/world.js';

let world: World;
openBeforeAll(async (closing) => {
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
});

/** A tenant whose campaign gives one subscription. */
async function openPlain(count: number) {
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, count);
  return { ...tenant, codes, users: await seedUsers(world, tenant.tenantId, count) };
}

describe('wrong data in a transaction of several tenants', () => {
  it.each([
    ['codeId', 'CODE_NOT_FOUND'],
    ['userId', 'USER_DISABLED'],
    ['campaignId', 'CAMPAIGN_NOT_ACTIVE'],
    ['batchId', 'CODE_INACTIVE'],
  ] as const)(
    'a claim whose %s is of another tenant redeems nothing, and all others are redeemed',
    async (field, refusal) => {
      const shops = await openShops(world, 4);
      const [odd, others, wrong] = oddOf(shops);
      const foreign = present(others[0]?.claims[0], 'A claim')[field];
      const bad = { ...odd, claims: [{ ...wrong, [field]: foreign }, ...odd.claims.slice(1)] };
      const outcomes = await settle(world, [bad, ...others]);
      expect(outcomes).toEqual([refusal, ...outcomes.slice(1).map(() => 'COMMITTED')]);
      for (const { tenantId } of others) {
        expect(await factsOf(world, tenantId)).toMatchObject({ committed: 2, tombstones: 0, used: 2 });
        expect(await driftsAtRest(world, tenantId)).toEqual({});
      }
      expect(await factsOf(world, odd.tenantId)).toMatchObject({ committed: 1, tombstones: 1, used: 1 });
    },
  );

  it('a tenant that is disabled meanwhile is refused, and no other', async () => {
    const shops = await openShops(world, 4);
    const [odd, others] = oddOf(shops);
    await execute(world, "update tenant set status = 'DISABLED' where id = ?", [odd.tenantId]);
    const outcomes = await settle(world, shops);
    expect(outcomes.slice(0, 2)).toEqual(['TENANT_NOT_ACTIVE', 'TENANT_NOT_ACTIVE']);
    expect(new Set(outcomes.slice(2))).toEqual(new Set(['COMMITTED']));
    for (const { tenantId } of others) expect(await driftsAtRest(world, tenantId)).toEqual({});
    expect(await factsOf(world, odd.tenantId)).toMatchObject({ committed: 0, tombstones: 2, used: 0 });
  });

  it('ids of users, codes, campaigns and plans that are equal in several tenants do not meet', async () => {
    const first = await openPlain(4);
    const copies = [await openPlain(4), await openPlain(4)];
    const tables = ['user', 'code', 'campaign', 'code_batch', 'plan', 'code_total'];
    for (const { tenantId } of copies)
      for (const table of tables) {
        await execute(world, `delete from ${table} where tenant_id = ?`, [tenantId]);
        const found = (await execute(
          world,
          `select group_concat(concat('\`', column_name, '\`')) as names from information_schema.columns
            where table_schema = database() and table_name = ? and column_name <> 'tenant_id' and extra not like '%GENERATED%'`,
          [table],
        )) as { names: string }[];
        const names = present(found[0], 'The columns').names;
        const sql = `insert into ${table} (tenant_id, ${names}) select ?, ${names} from ${table} where tenant_id = ?`;
        await execute(world, sql, [tenantId, first.tenantId]);
      }
    const claims: Claim[] = [];
    for (const [at, code] of first.codes.entries()) {
      // The digest of a code depends on its tenant, so the claims of the copies are made from those of the first.
      const claim = await openClaim(world, first, code, first.users[at] ?? '', `key-${at}`);
      const copied = copies.map(({ tenantId }) => ({
        ...claim,
        tenantId,
        redemptionId: world.services.ids.next(),
      }));
      claims.push(claim, ...copied);
    }
    const count = await transactionsOf(world, async () =>
      expect(new Set(await settle(world, [{ claims }]))).toEqual(new Set(['COMMITTED'])),
    );
    expect(count).toBe(1);
    for (const { tenantId } of [first, ...copies])
      expect(await factsOf(world, tenantId)).toMatchObject(factsAfter(4));
  });

  it('redemptions of two tenants with the same id are two', async () => {
    const [a, b] = [await openPlain(1), await openPlain(1)];
    const claims: Claim[] = [];
    for (const tenant of [a, b])
      claims.push(await openClaim(world, tenant, tenant.codes[0] ?? '', tenant.users[0] ?? ''));
    const redemptionId = present(claims[0], 'A claim').redemptionId;
    const outcomes = await Promise.all(
      claims.map(async (claim) => world.services.groupCommit.settle({ ...claim, redemptionId })),
    );
    const tenants = outcomes.map((outcome) => outcome.kind === 'COMMITTED' && outcome.record.tenantId);
    expect(tenants).toEqual([a.tenantId, b.tenantId]);
    for (const { tenantId } of [a, b]) expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });

  it('claims of one code, of one user and of one key are judged one after another', async () => {
    const shops = await openShops(world, 3);
    const tenant = await openPlain(2);
    const { tenantId } = tenant;
    const [[code = '', second = ''], [u = '', v = '']] = [tenant.codes, tenant.users];
    const claims: Claim[] = [];
    for (const [text, userId, key] of [
      [code, u, 'key'],
      [code, v, null],
      [code, u, 'key'],
      [second, u, 'key'],
    ] as const) {
      claims.push(await openClaim(world, tenant, text, userId, key));
      // Redis was lost: others claim the same again.
      await forget(world, tenantId);
    }
    const outcomes = await settle(world, [{ claims }, ...shops]);
    expect(outcomes.slice(0, 4)).toEqual([
      'COMMITTED',
      'CODE_EXHAUSTED',
      'REPLAYED',
      'IDEMPOTENCY_KEY_REUSED',
    ]);
    expect(new Set(outcomes.slice(4))).toEqual(new Set(['COMMITTED']));
    expect(await factsOf(world, tenantId)).toMatchObject({ committed: 1, tombstones: 3, used: 1 });
  });
});
