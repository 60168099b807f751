import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

it('X.4 answers CODE_MALFORMED to a typo and to a swap before the code is looked up, and CODE_NOT_FOUND to an unknown code', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const rule = { codeType: 'RANDOM_NUM', length: 12, checkCharacter: true };
  const { codes, campaignId } = await seedCampaign(world, tenant, 2, { rule });
  const [code = '', unknown = ''] = codes;
  const userId = await seedUser(world, tenantId);
  const outcome = async (text: string) => outcomeOf(await redeem(world, tenantId, userId, text));
  // Issued, and gone without a trace: the text is well-formed, and nothing is known by it.
  await tenantEm(world.stores.orm, tenantId).nativeDelete(Code, { campaignId, codeText: unknown });

  const wrong = [];
  for (let place = 0; place < code.length; place += 1) {
    const other = String((Number(code.charAt(place)) + 1 + ((randomBytes(1)[0] ?? 0) % 9)) % 10);
    wrong.push(code.slice(0, place) + other + code.slice(place + 1));
    wrong.push(code.slice(0, place) + code.charAt(place + 1) + code.charAt(place) + code.slice(place + 2));
  }
  const outcomes = [];
  for (const text of wrong.filter((each) => each !== code)) outcomes.push(await outcome(text));
  expect(new Set(outcomes)).toEqual(new Set(['CODE_MALFORMED']));
  // What was looked up in vain is noted.
  const noted = async (): Promise<number> => world.stores.redis.zcard(`{${tenantId}}:unknown`);
  expect(await noted()).toBe(0);
  expect(await outcome(unknown)).toBe('CODE_NOT_FOUND');
  expect(await noted()).toBe(1);
  expect(await outcome(code)).toBe('COMMITTED');
});

it('X.4 counts a typo as an attempt, so that typos meet the limit', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  await world.services.lines.create(tenantId, { code: 'FEW', name: 'Few', hourLimit: 5, dayLimit: 100 });
  const rule = { codeType: 'RANDOM_NUM', length: 12, checkCharacter: true };
  const { codes } = await seedCampaign(world, tenant, 1, { rule });
  const [code = ''] = codes;
  const userId = await seedUser(world, tenantId);
  const typo = code.slice(0, -1) + String((Number(code.at(-1)) + 1) % 10);
  const attempt = async (text: string) =>
    outcomeOf(await redeem(world, tenantId, userId, text, { productCode: 'FEW' }));
  const outcomes = [];
  for (let left = 5; left > 0; left -= 1) outcomes.push(await attempt(typo));
  expect(outcomes[0]).toBe('CODE_MALFORMED');
  expect(await attempt(code)).toBe('RATE_LIMITED');
});

it('X.4 shows the option of a rule, and leaves it out of rules without it', async () => {
  const tenant = await seedTenant(world);
  const checked = await seedCampaign(world, tenant, 1, { rule: { checkCharacter: true } });
  const plain = await seedCampaign(world, tenant, 1, { rule: { checkCharacter: false } });
  const ruleOf = async (id: string) => (await world.services.campaignReader.read(tenant.tenantId, id))?.rule;
  expect(checked.codes[0]).toHaveLength(17);
  expect(await ruleOf(checked.campaignId)).toMatchObject({ checkCharacter: true });
  expect(plain.codes[0]).toHaveLength(16);
  expect(await ruleOf(plain.campaignId)).not.toHaveProperty('checkCharacter');
});
