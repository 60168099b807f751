import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keyDigest } from '../../src/platform/key-digest.js';
import { migrateUp } from '../../src/migrations/migrate.js';
import { openCodesWorld, refusalOf, ruleOf, type CodesWorld } from '../support/codes-world.js';
import { migrateBack } from '../support/migrate-back.js';
import { createScratchDatabase } from '../support/scratch-database.js';

const KEY = 'order-of-somebody@example.org';
const MIGRATION = 'Migration20261128740001_digest_idempotency_keys_of_campaigns_and_batches';
const hashed = { codeVisibility: 'HASHED' } as const;

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

/** A campaign with three codes and a batch of two, all under the same key, as their callers ask for them. */
function callsOf(at: CodesWorld, tenantId: string) {
  const campaign = { name: 'Keyed', rule: ruleOf(), ...hashed, initialCodes: 3, idempotencyKey: KEY };
  const launch = async (change = {}) => at.launches.create(tenantId, { ...campaign, ...change });
  const generate = async (campaignId: string, count = 2) =>
    at.generation.generate(tenantId, { campaignId, count, idempotencyKey: KEY });
  return { launch, generate };
}

async function storedKeys(at: CodesWorld, tenantId: string) {
  const { campaigns, batches } = await at.state(tenantId);
  return [campaigns, batches].map((rows) => rows.map(({ idempotencyKey }) => idempotencyKey));
}

describe("idempotency keys of staff's calls", () => {
  it("are stored as digests: the caller's text is in no row and no answer", async () => {
    const tenantId = await world.addTenant();
    const { launch, generate } = callsOf(world, tenantId);
    const launched = await launch();
    const made = await generate(launched.campaign.id);
    const stored = await world.state(tenantId);
    expect(JSON.stringify([stored, launched, made])).not.toContain(KEY);
    expect(await storedKeys(world, tenantId)).toEqual([
      [keyDigest(tenantId, 'campaign', KEY)],
      [null, keyDigest(tenantId, 'code_batch', KEY)],
    ]);
    expect(await world.campaignReader.byKey(tenantId, KEY)).toMatchObject({ id: launched.campaign.id });
  });

  it('open the codes of a HASHED batch by their text alone: the stored digest opens nothing', async () => {
    const tenantId = await world.addTenant();
    const { launch } = callsOf(world, tenantId);
    const { campaign, codes } = await launch();
    const [stored] = (await world.state(tenantId)).campaigns;
    const repeat = await launch({ idempotencyKey: stored?.idempotencyKey });
    expect([repeat.replayed, repeat.campaign.id === campaign.id]).toEqual([false, false]);
    expect((await launch()).codes).toEqual(codes);
  });

  it('still answer rows of an older version after any number of runs of the migration', async () => {
    const { databaseUrl, drop } = await createScratchDatabase();
    const old = await openCodesWorld(databaseUrl);
    try {
      const tenantId = await old.addTenant();
      const { launch, generate } = callsOf(old, tenantId);
      const { campaign, codes } = await launch();
      const made = await generate(campaign.id);
      const keys = await storedKeys(old, tenantId);
      await migrateBack(databaseUrl, MIGRATION);
      // As an older version left them.
      for (const table of ['campaign', 'code_batch'])
        await old
          .em(tenantId)
          .execute(`update ${table} set idempotency_key = ? where idempotency_key is not null`, [KEY]);
      for (let run = 1; run <= 2; run += 1) {
        if (run > 1) await migrateBack(databaseUrl, MIGRATION);
        await migrateUp(databaseUrl);
        expect(await storedKeys(old, tenantId)).toEqual(keys);
      }
      expect(await launch()).toMatchObject({ campaign: { id: campaign.id }, codes, replayed: true });
      const again = await generate(campaign.id);
      expect([again.batch.id, again.codes, again.replayed]).toEqual([made.batch.id, made.codes, true]);
      expect(await refusalOf(generate(campaign.id, 5))).toBe('IDEMPOTENCY_KEY_REUSED');
      const { campaigns, batches } = await old.state(tenantId);
      expect([campaigns.length, batches.length]).toEqual([1, 2]);
    } finally {
      await old.close();
      await drop();
    }
  });

  it('of more rows than one step takes are digested, and a run that was ended is resumed', async () => {
    const { databaseUrl, drop } = await createScratchDatabase();
    const old = await openCodesWorld(databaseUrl);
    try {
      const em = old.em('T_KEYS');
      await migrateBack(databaseUrl, MIGRATION);
      await em.execute(
        `insert into code_batch (tenant_id, id, campaign_id, status, requested, \`generated\`, version, idempotency_key,
            created_at)
          with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 900)
          select 'T_KEYS', 25 * a.n + b.n, 1, 'READY', 1, 1, 1, concat('order-', 25 * a.n + b.n), now(3)
            from numbers a join numbers b on b.n <= 25`,
      );
      // The second step fails, as a connection that breaks there.
      await em.execute(`create trigger breaks before update on code_batch for each row
        if old.id > 20025 then signal sqlstate '45000' set message_text = 'Broken'; end if`);
      const undigested = async () => {
        const [{ n }] = await em.execute<[{ n: number }]>(
          "select count(*) as n from code_batch where idempotency_key not like 'sha256:%'",
        );
        return n;
      };
      expect(await undigested()).toBe(22_500);
      await expect(migrateUp(databaseUrl)).rejects.toThrow('Broken');
      expect(await undigested()).toBe(2500);
      await em.execute('drop trigger breaks');
      await migrateUp(databaseUrl);
      expect(await undigested()).toBe(0);
      const [{ digest }] = await em.execute<[{ digest: string }]>(
        'select idempotency_key as digest from code_batch where id = 77',
      );
      expect(digest).toBe(keyDigest('T_KEYS', 'code_batch', 'order-77'));
    } finally {
      await old.close();
      await drop();
    }
  });
});
