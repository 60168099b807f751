import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CodeDigester } from '../../src/codes/code-digester.js';
import { ShownCodes } from '../../src/codes/shown-codes.redis.js';
import { createLog } from '../../src/platform/observability/log.js';
import { RedisScript } from '../../src/platform/redis/script.js';
import { openCodesWorld, refusalOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

const hashed = { codeVisibility: 'HASHED' } as const;
const redisKey = (tenantId: string, batchId: string) => `{${tenantId}}:shown:${batchId}`;

/** A HASHED campaign, and the call whose answer was lost. */
async function lostAnswer(idempotencyKey: string | null = 'key-1') {
  const tenantId = await world.addTenant();
  const { id: campaignId } = await world.addCampaign(tenantId, hashed);
  const input = { campaignId, count: 3, idempotencyKey };
  const lost = await world.generation.generate(tenantId, input);
  return { tenantId, input, lost };
}

describe('X.8 codes of a HASHED batch whose answer was lost', () => {
  it('are fetched by the same key once, and then never again', async () => {
    const { tenantId, input, lost } = await lostAnswer();
    const again = await world.generation.generate(tenantId, input);
    expect(lost.codes).toHaveLength(3);
    expect([again.batch.id, again.codes, again.replayed]).toEqual([lost.batch.id, lost.codes, true]);
    const third = await world.generation.generate(tenantId, input);
    expect([third.batch.id, third.codes]).toEqual([lost.batch.id, null]);
    expect((await world.state(tenantId)).batches).toHaveLength(1);
  });

  it('go to one of several callers who ask at once', async () => {
    const { tenantId, input, lost } = await lostAnswer();
    const calls = Array.from({ length: 8 }, async () => world.generation.generate(tenantId, input));
    const answers = await Promise.all(calls);
    expect(answers.flatMap(({ codes }) => (codes === null ? [] : [codes]))).toEqual([lost.codes]);
  });

  it('are not fetched by another key, by other arguments, or by the key of another tenant', async () => {
    const { tenantId, input, lost } = await lostAnswer();
    const other = await world.generation.generate(tenantId, { ...input, idempotencyKey: 'key-2' });
    expect(other.batch.id).not.toBe(lost.batch.id);
    expect(other.codes).not.toEqual(lost.codes);
    expect(await refusalOf(world.generation.generate(tenantId, { ...input, count: 2 }))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    expect((await world.generation.generate(tenantId, input)).codes).toEqual(lost.codes);
  });

  it('are gone after ten minutes', async () => {
    const { tenantId, input, lost } = await lostAnswer();
    const key = redisKey(tenantId, lost.batch.id);
    const leftS = await world.redis.ttl(key);
    expect(leftS).toBeGreaterThan(590);
    expect(leftS).toBeLessThanOrEqual(600);
    await world.redis.pexpireat(key, 1);
    expect((await world.generation.generate(tenantId, input)).codes).toBeNull();
  });

  it('are kept in Redis encrypted, and not at all without a key or in a VISIBLE campaign', async () => {
    const { tenantId, lost } = await lostAnswer();
    const stored = await world.redis.getBuffer(redisKey(tenantId, lost.batch.id));
    for (const code of lost.codes ?? []) expect(stored?.includes(code)).toBe(false);
    expect(stored?.includes('key-1')).toBe(false);
    const keyless = await lostAnswer(null);
    const visible = await world.addCampaign(tenantId);
    const shown = await world.generation.generate(tenantId, {
      campaignId: visible.id,
      count: 1,
      idempotencyKey: 'visible',
    });
    expect(
      await world.redis.exists(
        redisKey(keyless.tenantId, keyless.lost.batch.id),
        redisKey(tenantId, shown.batch.id),
      ),
    ).toBe(0);
  });

  it('of a new campaign are fetched by the key of the campaign', async () => {
    const tenantId = await world.addTenant();
    const rule = { ruleId: 'rule', codeType: 'ALPHANUM' } as const;
    const input = { name: 'New', rule, ...hashed, initialCodes: 3, idempotencyKey: 'campaign-key' };
    const lost = await world.launches.create(tenantId, input);
    const again = await world.launches.create(tenantId, input);
    expect(again).toMatchObject({ batchId: lost.batchId, codes: lost.codes, replayed: true });
    expect((await world.launches.create(tenantId, input)).codes).toBeNull();
  });
});

describe('X.21 codes of a HASHED batch, while the pepper is rotated', () => {
  const [OLD, NEW] = [
    { keyId: 1, pepper: 'o'.repeat(40) },
    { keyId: 2, pepper: 'n'.repeat(40) },
  ];
  const codes = ['CODE-1', 'CODE-2'];
  /** A process with these peppers, the current one first. */
  const processWith = (...peppers: { keyId: number; pepper: string }[]): ShownCodes =>
    new ShownCodes(world.redis, new CodeDigester(peppers), 600, createLog({ level: 'silent' }));
  const someBatch = () => ({
    tenantId: 'T_SHOWN',
    batchId: randomBytes(6).toString('hex'),
    idempotencyKey: 'k',
  });

  it('are fetched by a process whose current pepper is the next one', async () => {
    const batch = someBatch();
    await processWith(OLD).keep(batch, codes, OLD.keyId);
    expect(await processWith(NEW, OLD).take(batch)).toEqual(codes);
    expect(await processWith(NEW, OLD).take(batch)).toBeNull();
  });

  it('are made for every process: by the pepper of the codes, not by the current one', async () => {
    const batch = someBatch();
    await processWith(NEW, OLD).keep(batch, codes, OLD.keyId);
    expect(await processWith(OLD).take(batch)).toEqual(codes);
  });

  it('are left to another process by one that cannot decrypt them', async () => {
    const batch = someBatch();
    await processWith(OLD).keep(batch, codes, OLD.keyId);
    expect(await processWith(NEW).take(batch)).toBeNull();
    expect(await processWith(NEW, OLD).take(batch)).toEqual(codes);
  });

  it('go to exactly one of 40 calls in four processes', async () => {
    const batch = someBatch();
    await processWith(OLD).keep(batch, codes, OLD.keyId);
    const processes = [processWith(OLD), processWith(NEW, OLD), processWith(OLD, NEW), processWith(NEW)];
    const calls = Array.from({ length: 40 }, async (_, at) => processes[at % 4]?.take(batch));
    const taken = (await Promise.all(calls)).filter((answer) => answer !== null);
    expect(taken).toEqual([codes]);
    expect(await world.redis.exists(redisKey(batch.tenantId, batch.batchId))).toBe(0);
  });

  it("are still the first taker's when its command is sent twice", async () => {
    const batch = someBatch();
    await processWith(OLD).keep(batch, codes, OLD.keyId);
    const key = redisKey(batch.tenantId, batch.batchId);
    const script = new RedisScript(world.redis, 'take-shown-codes');
    const take = async (taker: string) => script.run([key, `${key}:taker`], [taker, 1000]);
    expect([await take('a'), await take('a'), await take('b')]).toEqual([1, 1, 0]);
  });
});
