import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { canonicalize } from '../../src/codes/canonical-code.js';
import { CodeFormatRow } from '../../src/codes/code-format.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { openCodesWorld, outcomeOf, refusalOf, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

const tally = (outcomes: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(outcomes, (outcome) => outcome)].map(([name, all]) => [name, all.length]),
  );

describe('generating codes', () => {
  it('S0.1 gives N distinct codes of the rule, stored as answered, and found by their digest', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId, {
      rule: ruleOf({ codeType: 'PATTERN', pattern: 'OIL-####-####', useLimit: 3 }),
    });
    const { batch, codes, replayed } = await world.generation.generate(tenantId, { campaignId, count: 2500 });
    expect([batch.status, batch.requested, batch.generated, replayed]).toEqual(['READY', 2500, 2500, false]);
    expect(new Set(codes).size).toBe(2500);
    const stored = (await world.state(tenantId)).codes;
    expect(stored.map((code) => code.codeText)).toEqual(codes);
    for (const code of stored) {
      expect(code.codeText).toMatch(/^OIL-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/);
      expect(code).toMatchObject({
        campaignId,
        batchId: batch.id,
        status: 'ACTIVE',
        useLimit: 3,
        used: 0,
        version: 1,
      });
    }
    const typed = canonicalize(` 0il ${stored[7]?.codeText?.slice(4).toLowerCase()}`) ?? '';
    expect(world.digester.digest(tenantId, typed)).toBe(stored[7]?.codeDigest);
    expect(stored[7]?.lastFour).toBe(stored[7]?.codeText?.slice(-4));
  });

  it('S4.13 sets the end by the valid days, from the instant of issue', async () => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId, { rule: ruleOf({ validDays: 30 }) });
    await world.generation.generate(tenantId, { campaignId: id, count: 1 });
    const [code] = (await world.state(tenantId)).codes;
    expect(code?.startsAt).toBeNull();
    expect((code?.expiresAt?.getTime() ?? 0) - (code?.issuedAt.getTime() ?? 0)).toBe(30 * 86_400_000);
    const endless = await world.addCampaign(tenantId);
    await world.generation.generate(tenantId, { campaignId: endless.id, count: 1 });
    expect((await world.state(tenantId)).codes.at(-1)?.expiresAt).toBeNull();
  });

  it('is announced once: an event without codes in the transaction, then the epoch, then the metric', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId);
    let seen = 0;
    world.copies.onRaise = async () => {
      seen = await world.em(tenantId).count(Code, {});
    };
    const { batch, codes } = await world.generation.generate(tenantId, { campaignId, count: 4 });
    world.copies.onRaise = async () => undefined;
    // The epoch is raised when others can see the codes, and not before.
    expect(seen).toBe(4);
    expect(world.copies.raised.filter((raised) => raised === tenantId)).toHaveLength(1);
    expect(world.generated.filter(([campaign]) => campaign === campaignId)).toEqual([[campaignId, 4]]);
    const events = (await world.state(tenantId)).events.filter((event) => event.type === 'codes_generated');
    expect(events.map((event) => event.payload)).toEqual([{ batchId: batch.id, campaignId, count: 4 }]);
    for (const code of codes ?? []) expect(JSON.stringify(events)).not.toContain(code);
  });

  it('is kept also where Redis does not answer', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId);
    world.copies.onRaise = async () => Promise.reject(new Error('Redis is away.'));
    const { codes } = await world.generation.generate(tenantId, { campaignId, count: 1 });
    world.copies.onRaise = async () => undefined;
    expect(codes).toHaveLength(1);
  });

  it('X.8 keeps only digest and last four in a HASHED campaign, and shows the codes once', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId, { codeVisibility: 'HASHED' });
    const input = { campaignId, count: 3, idempotencyKey: 'key-1' };
    const first = await world.generation.generate(tenantId, input);
    const stored = (await world.state(tenantId)).codes;
    expect(stored.map((code) => code.codeText)).toEqual([null, null, null]);
    expect(stored.map((code) => code.lastFour)).toEqual(first.codes?.map((code) => code.slice(-4)));
  });

  it('registers one format for all campaigns with the same rule', async () => {
    const tenantId = await world.addTenant();
    for (const length of [12, 12, 13])
      await world.addCampaign(tenantId, { rule: ruleOf({ length }), initialCodes: 1 });
    expect(await world.em(tenantId).count(CodeFormatRow, {})).toBe(2);
    const formats = await world.recognizer.formats(tenantId);
    expect(formats.map((format) => format.template.length).toSorted((a, b) => a - b)).toEqual([12, 13]);
    expect(await world.recognizer.fits(tenantId, 'A'.repeat(13), 'epoch-1')).toBe(true);
    expect(await world.recognizer.fits(tenantId, 'A'.repeat(14), 'epoch-1')).toBe(false);
    await world.addCampaign(tenantId, { rule: ruleOf({ length: 14 }), initialCodes: 1 });
    expect(await world.recognizer.fits(tenantId, 'A'.repeat(14), 'epoch-2')).toBe(true);
  });
});

describe('generating codes is refused', () => {
  const bad: [string, Record<string, unknown>, string][] = [
    ['none', { count: 0 }, 'CODE_COUNT_OUT_OF_RANGE'],
    ['fewer than none', { count: -1 }, 'CODE_COUNT_OUT_OF_RANGE'],
    ['half a code', { count: 1.5 }, 'CODE_COUNT_OUT_OF_RANGE'],
    ['more than a batch takes', { count: 5_000_001 }, 'CODE_COUNT_OUT_OF_RANGE'],
    ['a key with a line feed', { idempotencyKey: 'a\nb' }, 'IDEMPOTENCY_KEY_MALFORMED'],
    ['an unknown field', { prefix: 'A' }, 'INPUT_NOT_ALLOWED'],
    ['a campaign that is not there', { campaignId: '1' }, 'CAMPAIGN_NOT_FOUND'],
    ['a campaign that cannot be', { campaignId: "1' or 1=1" }, 'CAMPAIGN_NOT_FOUND'],
    ['a campaign that is an operator', { campaignId: { $ne: null } }, 'CAMPAIGN_NOT_FOUND'],
  ];

  it.each(bad)('for %s, and nothing is written', async (_name, fault, code) => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId);
    const before = await world.state(tenantId);
    expect(await refusalOf(world.generation.generate(tenantId, { campaignId, count: 5, ...fault }))).toBe(
      code,
    );
    expect(await world.state(tenantId)).toEqual(before);
  });

  it("S4.1 for another tenant's campaign, just as for one that is not there", async () => {
    const [one, other] = [await world.addTenant(), await world.addTenant()];
    const { id: campaignId } = await world.addCampaign(one);
    expect(await refusalOf(world.generation.generate(other, { campaignId, count: 1 }))).toBe(
      'CAMPAIGN_NOT_FOUND',
    );
    expect((await world.state(one)).codes).toEqual([]);
    expect((await world.state(other)).issued).toBe(0);
  });

  it('for a campaign that has ended, and for a tenant that is switched off', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId);
    await world.em(tenantId).nativeUpdate(Campaign, { id: campaignId }, { status: 'ENDED' });
    expect(await refusalOf(world.generation.generate(tenantId, { campaignId, count: 1 }))).toBe(
      'CAMPAIGN_ENDED',
    );
    await world.em(tenantId).nativeUpdate(Tenant, { id: tenantId }, { status: 'DISABLED' });
    expect(await refusalOf(world.generation.generate(tenantId, { campaignId, count: 1 }))).toBe(
      'TENANT_NOT_ACTIVE',
    );
    expect((await world.state(tenantId)).codes).toEqual([]);
  });

  it('S4.4 when the codes of the campaign would fill too much of their space, over all its batches', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId, {
      rule: ruleOf({ codeType: 'RANDOM_NUM', length: 9 }),
    });
    await world.generation.generate(tenantId, { campaignId, count: 990 });
    const tooMany = world.generation.generate(tenantId, { campaignId, count: 11 });
    expect(await refusalOf(tooMany)).toBe('CODE_SPACE_TOO_SMALL');
    await world.generation.generate(tenantId, { campaignId, count: 10 });
    const { issued, codes } = await world.state(tenantId);
    expect([issued, codes.length]).toEqual([1000, 1000]);
  });

  it('S0.1 as a whole: a batch beyond the quota gives no code at all', async () => {
    const tenantId = await world.addTenant(2000);
    const { id: campaignId } = await world.addCampaign(tenantId);
    const before = await world.state(tenantId);
    expect(await refusalOf(world.generation.generate(tenantId, { campaignId, count: 2001 }))).toBe(
      'TENANT_QUOTA_EXCEEDED',
    );
    expect(await world.state(tenantId)).toEqual(before);
  });
});

describe('many at the same time', () => {
  it('S4.2 twenty batches at the edge of the quota: exactly as many codes as it allows', async () => {
    const tenantId = await world.addTenant(100);
    const { id: campaignId } = await world.addCampaign(tenantId);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () =>
        outcomeOf(world.generation.generate(tenantId, { campaignId, count: 9 })),
      ),
    );
    expect(tally(outcomes)).toEqual({ DONE: 11, TENANT_QUOTA_EXCEEDED: 9 });
    const { issued, batches, codes, events } = await world.state(tenantId);
    expect([issued, batches.length, codes.length]).toEqual([99, 11, 99]);
    expect(events.filter((event) => event.type === 'codes_generated')).toHaveLength(11);
  });

  it('S4.2 twenty calls with one key: one batch, and the same codes for everybody', async () => {
    const tenantId = await world.addTenant(50);
    const { id: campaignId } = await world.addCampaign(tenantId);
    const input = { campaignId, count: 50, idempotencyKey: 'key-1' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => world.generation.generate(tenantId, input)),
    );
    expect(new Set(answers.map((answer) => answer.batch.id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1);
    for (const answer of answers) expect(answer.codes).toEqual(answers[0]?.codes);
    const { issued, batches, codes } = await world.state(tenantId);
    expect([issued, batches.length, codes.length]).toEqual([50, 1, 50]);
    const reused = world.generation.generate(tenantId, { ...input, count: 49 });
    expect(await refusalOf(reused)).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('S4.2 a call overtaken by one with the same key answers its batch, even with the quota used up', async () => {
    const tenantId = await world.addTenant(5);
    const { id: campaignId } = await world.addCampaign(tenantId);
    const input = { campaignId, count: 5, idempotencyKey: 'key-1' };
    const assertCanIssue = world.tenants.assertCanIssue.bind(world.tenants);
    const overtaken = vi.spyOn(world.tenants, 'assertCanIssue').mockImplementationOnce(async (...asked) => {
      await world.generation.generate(tenantId, input);
      return assertCanIssue(...asked);
    });
    const { batch, codes, replayed } = await world.generation.generate(tenantId, input);
    overtaken.mockRestore();
    const stored = await world.state(tenantId);
    expect([replayed, codes]).toEqual([true, stored.codes.map((code) => code.codeText)]);
    expect(stored.batches.map((row) => row.id)).toEqual([batch.id]);
  });

  it('S0.1 codes that exist already are drawn again, and the whole batch is complete', async () => {
    const guessable = await openCodesWorld(inject('databaseUrl'), 100);
    const tenantId = await guessable.addTenant();
    const rule = ruleOf({ codeType: 'RANDOM_NUM', length: 6 });
    const campaigns = [];
    for (let index = 0; index < 4; index += 1)
      campaigns.push(await guessable.addCampaign(tenantId, { rule }));
    // 4,000 of a million codes: by chance about 8 pairs of them are the same.
    await Promise.all(
      campaigns.map(async ({ id }) =>
        guessable.generation.generate(tenantId, { campaignId: id, count: 1000 }),
      ),
    );
    const { issued, codes } = await guessable.state(tenantId);
    await guessable.close();
    expect([issued, codes.length, new Set(codes.map((code) => code.codeText)).size]).toEqual([
      4000, 4000, 4000,
    ]);
    for (const { id } of campaigns) expect(codes.filter((code) => code.campaignId === id)).toHaveLength(1000);
  });
});

it('S4.1 the same code in two tenants is two codes that know nothing of each other', async () => {
  const [one, other] = [await world.addTenant(), await world.addTenant()];
  for (const tenantId of [one, other]) await world.addCampaign(tenantId, { initialCodes: 1 });
  const [mine] = (await world.state(one)).codes;
  const [theirs] = (await world.state(other)).codes;
  const text = mine?.codeText ?? '';
  const codeDigest = world.digester.digest(other, canonicalize(text) ?? '');
  await world.em(other).nativeUpdate(Code, { id: theirs?.id ?? '' }, { codeText: text, codeDigest });
  expect(codeDigest).not.toBe(mine?.codeDigest);
  expect(await world.em(one).count(Code, { codeText: text })).toBe(1);
  expect(await world.em(other).findOne(Code, { codeDigest: mine?.codeDigest ?? '' })).toBeNull();
  expect(await world.codeReader.code(other, mine?.id ?? '')).toBeNull();
});

it('a batch of 10,000 takes one transaction and a short while', async () => {
  const tenantId = await world.addTenant();
  const { id: campaignId } = await world.addCampaign(tenantId);
  const { codes } = await world.generation.generate(tenantId, { campaignId, count: 10_000 });
  expect(new Set(codes).size).toBe(10_000);
  expect(await world.em(tenantId).count(Code, { campaignId })).toBe(10_000);
});
