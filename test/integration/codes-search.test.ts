import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { canonicalize } from '../../src/codes/canonical-code.js';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import type { CodeFilter } from '../../src/codes/code-filter.js';
import { Code } from '../../src/codes/code.entity.js';
import { openCodesWorld, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

async function found(tenantId: string, filter: CodeFilter): Promise<string[]> {
  const { total, items } = await world.codeReader.page(tenantId, filter, { offset: 0, size: 500 });
  expect(items).toHaveLength(total);
  return items.map((code) => code.id);
}

/** A campaign with five codes; what the first is called, and who it is. */
async function seed(tenantId: string, campaign: Parameters<CodesWorld['addCampaign']>[1]) {
  const { batchId, codes } = await world.launches.create(tenantId, {
    name: 'Campaign',
    rule: ruleOf(),
    initialCodes: 5,
    ...campaign,
  });
  const [first] = await world.em(tenantId).find(Code, { batchId: batchId ?? '' }, { orderBy: { id: 'asc' } });
  return { text: codes?.[0] ?? '', id: first?.id ?? '', campaignId: first?.campaignId ?? '' };
}

/** As if the tenant had too many codes to look at each. */
async function grow(tenantId: string): Promise<void> {
  await world.em(tenantId).nativeUpdate(CodeBatch, {}, { generated: 50_001 });
}

const pattern = ruleOf({ codeType: 'PATTERN', pattern: 'OIL-####-####' });
const spellings: [string, (text: string) => string][] = [
  ['as printed', (text) => text],
  ['without hyphens', (text) => text.replaceAll('-', '')],
  ['with blanks around', (text) => ` \t${text}\u3000\n`],
  ['in small letters', (text) => text.toLowerCase()],
  ['with O, I, L as 0, 1, 1', (text) => text.replaceAll('O', '0').replaceAll(/[IL]/g, '1')],
  ['in quotes, with a full stop', (text) => `“${text}”.`],
  ['by a Turkish keyboard', (text) => text.toLowerCase().replaceAll('i', 'ı')],
];

describe.each([
  ['few codes', async () => undefined],
  ['more codes than can be looked at', grow],
] as const)('X.20 in a tenant of %s, staff find', (_name, prepare) => {
  it.each(spellings)('a code by what the customer typed, %s', async (_spelling, spell) => {
    const tenantId = await world.addTenant();
    const visible = await seed(tenantId, { rule: pattern });
    const hashed = await seed(tenantId, { rule: pattern, codeVisibility: 'HASHED' });
    const uuid = await seed(tenantId, { rule: ruleOf({ codeType: 'UUID' }) });
    await prepare(tenantId);
    for (const { text, id } of [visible, hashed, uuid])
      expect([text, await found(tenantId, { part: spell(text) })]).toEqual([text, [id]]);
  });

  it('a code by its beginning and by its end, a HASHED one by its last four', async () => {
    const tenantId = await world.addTenant();
    const visible = await seed(tenantId, { rule: pattern });
    const hashed = await seed(tenantId, { rule: pattern, codeVisibility: 'HASHED' });
    await prepare(tenantId);
    expect(await found(tenantId, { part: visible.text.slice(0, 8).toLowerCase() })).toEqual([visible.id]);
    expect(await found(tenantId, { part: ` ${visible.text.slice(-6)}` })).toEqual([visible.id]);
    for (const { text, id } of [visible, hashed]) {
      expect(await found(tenantId, { part: text.slice(-4) })).toEqual([id]);
      expect(await found(tenantId, { part: text.slice(-4).toLowerCase() })).toEqual([id]);
    }
  });

  it('nothing by wildcards, by no code at all, by the codes of another tenant and by deleted ones', async () => {
    const [tenantId, other] = [await world.addTenant(), await world.addTenant()];
    const { text, id } = await seed(tenantId, { rule: pattern });
    const foreign = await seed(other, { rule: pattern });
    await prepare(tenantId);
    for (const part of ['%', '_', 'OIL%', '\\', "' or 1=1 -- ", ' ', '東京', 'A'.repeat(300)])
      expect([part, await found(tenantId, { part })]).toEqual([part, []]);
    expect(await found(tenantId, { part: foreign.text })).toEqual([]);
    await world.em(tenantId).nativeUpdate(Code, { id }, { deletedAt: new Date(0) });
    expect(await found(tenantId, { part: text })).toEqual([]);
  });

  it('a code only where the other filters hold too', async () => {
    const tenantId = await world.addTenant();
    const { text, id, campaignId } = await seed(tenantId, { rule: pattern });
    const other = await seed(tenantId, { rule: pattern });
    await prepare(tenantId);
    expect(await found(tenantId, { part: text, campaignId, status: 'ACTIVE' })).toEqual([id]);
    expect(await found(tenantId, { part: text, campaignId: other.campaignId })).toEqual([]);
    expect(await found(tenantId, { part: text, status: 'DISABLED' })).toEqual([]);
    expect(await found(tenantId, { part: text, effectiveStatus: ['CAMPAIGN_DRAFT'] })).toEqual([id]);
    expect(await found(tenantId, { part: text, effectiveStatus: ['ACTIVE'] })).toEqual([]);
    expect(await found(tenantId, { part: text, effectiveStatus: [] })).toEqual([]);
  });
});

it('X.20 any part of a code is found among few codes, and in a campaign of few', async () => {
  const tenantId = await world.addTenant();
  const { text, id, campaignId } = await seed(tenantId, { rule: pattern });
  const middle = text.replaceAll('-', '').slice(3, 9);
  expect(await found(tenantId, { part: middle })).toEqual([id]);
  await seed(tenantId, {});
  await world
    .em(tenantId)
    .nativeUpdate(CodeBatch, { campaignId: { $ne: campaignId } }, { generated: 50_001 });
  expect(await found(tenantId, { part: middle })).toEqual([]);
  expect(await found(tenantId, { part: middle, campaignId })).toEqual([id]);
});

it('the canonical column holds what canonicalize makes of every text that can be issued', async () => {
  const tenantId = await world.addTenant();
  const { id } = await seed(tenantId, {});
  const characters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-';
  const textOf = () => Array.from({ length: 20 }, () => characters[randomInt(characters.length)]).join('');
  for (const codeText of ['OIL-oil-0110', ...Array.from({ length: 40 }, textOf)]) {
    const lastFour = codeText.replaceAll('-', '').slice(-4);
    await world.em(tenantId).nativeUpdate(Code, { id }, { codeText, lastFour });
    const [row] = await world
      .em(tenantId)
      .execute<[{ whole: string; tail: string }]>(
        'select upper(canonical_text) as whole, upper(canonical_tail) as tail from code where tenant_id = ? and id = ?',
        [tenantId, id],
      );
    const canonical = canonicalize(codeText);
    expect([codeText, row.whole, row.tail]).toEqual([codeText, canonical, canonical?.slice(-4)]);
  }
});
