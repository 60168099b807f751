import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let api: ProductApi;
let platformId: string;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
  platformId = `P_${randomBytes(6).toString('hex').toUpperCase()}`;
  await world.services.tenants.create({ id: platformId, name: 'Platform', type: 'PLATFORM' });
});
afterAll(async () => world?.close());

/** Runs `mutation(input)` as staff of the tenant, and answers its payload. */
async function change(
  tenantId: string,
  mutation: string,
  input: Record<string, unknown>,
  fields: string,
): Promise<Record<string, unknown>> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const source = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${fields} errors { code field } } }`;
  const { data, errors } = await api.ask(staffOf(tenantId), source, { input });
  expect(errors).toEqual([]);
  return data[mutation] ?? {};
}

const updateLine = async (tenantId: string, input: Record<string, unknown>) =>
  change(tenantId, 'updateProductLine', input, 'productLine { name hourLimit dayLimit status version }');
const updatePlan = async (tenantId: string, input: Record<string, unknown>) =>
  change(
    tenantId,
    'updatePlan',
    input,
    'plan { name unitPrice currency trafficBytes quotaPerUser inventory sell show nodeTags version }',
  );
const updateTenant = async (asking: string, input: Record<string, unknown>) =>
  change(asking, 'updateTenant', input, 'tenant { id name codeQuota status version }');
const updateUser = async (tenantId: string, input: Record<string, unknown>) =>
  change(tenantId, 'updateUser', input, 'user { id externalId status tags version }');

describe('updateProductLine', () => {
  it('changes what is given, leaves what is missing, and takes null for the default of the installation', async () => {
    const { tenantId } = await seedTenant(world);
    const first = await updateLine(tenantId, { code: 'APP_A', name: 'New', dayLimit: null });
    expect(first['productLine']).toEqual({
      name: 'New',
      hourLimit: 100,
      dayLimit: null,
      status: 'ACTIVE',
      version: 2,
    });
  });

  it('counts at the next redemption: DISABLED refuses, and ACTIVE takes again', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenant.tenantId);
    const attempt = async () => outcomeOf(await redeem(world, tenant.tenantId, userId, codes[0] ?? ''));
    await world.services.lines.find(tenant.tenantId, 'DEMO');
    await updateLine(tenant.tenantId, { code: 'DEMO', status: 'DISABLED' });
    expect(await attempt()).toBe('PRODUCT_UNKNOWN');
    await updateLine(tenant.tenantId, { code: 'DEMO', status: 'ACTIVE' });
    expect(await attempt()).toBe('COMMITTED');
  });

  it.each([
    ['a name of blanks', { name: ' ' }, 'NAME_NOT_ALLOWED'],
    ['a negative limit', { hourLimit: -1 }, 'LIMIT_OUT_OF_RANGE'],
    ['a line that is not there', { code: 'NOPE' }, 'PRODUCT_LINE_NOT_FOUND'],
    ['an older version', { name: 'Mine', expectedVersion: 7 }, 'VERSION_CONFLICT'],
  ])('is refused with %s, and nothing is written', async (_name, fault, code) => {
    const { tenantId } = await seedTenant(world);
    const before = await world.services.lines.list(tenantId);
    expect(refusalIn(await updateLine(tenantId, { code: 'APP_A', ...fault }))).toBe(code);
    expect(await world.services.lines.list(tenantId)).toEqual(before);
  });
});

describe('updatePlan', () => {
  it('changes every field that is given, and leaves the rest', async () => {
    const { tenantId, planId } = await seedTenant(world);
    const changes = {
      name: 'Gold',
      unitPrice: '19.9',
      currency: 'USD',
      trafficBytes: 7,
      quotaPerUser: 2,
      inventory: 5,
      sell: false,
      show: false,
      nodeTags: ['eu', 'eu'],
    };
    const { plan } = await updatePlan(tenantId, { planId, ...changes });
    expect(plan).toEqual({ ...changes, nodeTags: ['eu'], version: 2 });
    const again = await updatePlan(tenantId, { planId, inventory: -1, name: null });
    expect(again['plan']).toEqual({ ...changes, nodeTags: ['eu'], inventory: -1, version: 3 });
    expect(await updatePlan(tenantId, { planId, currency: null })).toMatchObject({
      plan: { currency: null, unitPrice: '19.9', version: 4 },
    });
    expect(await world.services.plans.find(tenantId, planId)).toMatchObject({
      unitTime: 'MONTH',
      deviceLimit: 0,
    });
  });

  it.each([
    ['a negative price', { unitPrice: '-1' }, 'PLAN_PRICE_MALFORMED'],
    ['a malformed currency', { currency: 'usd' }, 'PLAN_CURRENCY_MALFORMED'],
    ['an inventory below -1', { inventory: -2 }, 'PLAN_INVENTORY_OUT_OF_RANGE'],
    ['a plan that is not there', { planId: '1' }, 'PLAN_NOT_FOUND'],
    ['what is no id', { planId: 'x' }, 'PLAN_NOT_FOUND'],
    ['an older version', { name: 'Mine', expectedVersion: 9 }, 'VERSION_CONFLICT'],
  ])('is refused with %s, and nothing is written', async (_name, fault, code) => {
    const { tenantId, planId } = await seedTenant(world);
    const page = { offset: 0, size: 15 };
    const before = await world.services.plans.list(tenantId, page, false);
    expect(refusalIn(await updatePlan(tenantId, { planId, ...fault }))).toBe(code);
    expect(await world.services.plans.list(tenantId, page, false)).toEqual(before);
  });

  it('counts each start of a subscription once beside changes of the inventory', async () => {
    const tenant = await seedTenant(world, { inventory: 50 });
    const { tenantId, planId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 20);
    const users = await Promise.all(codes.map(async () => seedUser(world, tenantId)));
    const attempts = codes.map(async (code, index) => redeem(world, tenantId, users[index] ?? '', code));
    const renames = ['a', 'b', 'c', 'd'].map(async (name) => updatePlan(tenantId, { planId, name }));
    const answers = await Promise.all(attempts);
    await Promise.all(renames);
    expect(answers.map(outcomeOf)).toEqual(codes.map(() => 'COMMITTED'));
    const { plan } = await updatePlan(tenantId, { planId, show: true });
    expect(plan).toMatchObject({ inventory: 30, version: 6 });
  });
});

describe('updateTenant', () => {
  const fresh = async (): Promise<SeededTenant> => seedTenant(world);

  it('changes name, quota and status for the staff of a platform tenant, and the name on its campaigns alone', async () => {
    const [tenant, other] = [await fresh(), await fresh()];
    const { campaignId } = await seedCampaign(world, tenant, 1);
    const elsewhere = await seedCampaign(world, other, 1);
    const input = { tenantId: tenant.tenantId, name: 'Renamed', codeQuota: 3, status: 'DISABLED' };
    const { tenant: changed } = await updateTenant(platformId, input);
    expect(changed).toEqual({
      id: tenant.tenantId,
      name: 'Renamed',
      codeQuota: 3,
      status: 'DISABLED',
      version: 2,
    });
    const nameOn = async (tenantId: string, id: string) =>
      (await emOf(world, tenantId).findOneOrFail(Campaign, { id })).tenantName;
    expect(await nameOn(tenant.tenantId, campaignId)).toBe('Renamed');
    expect(await nameOn(other.tenantId, elsewhere.campaignId)).toBe('Test tenant');
  });

  it('stops further issue with a quota below what is issued, and takes nothing back', async () => {
    const tenant = await fresh();
    const { campaignId } = await seedCampaign(world, tenant, 5);
    await updateTenant(platformId, { tenantId: tenant.tenantId, codeQuota: 2 });
    await expect(
      world.services.generation.generate(tenant.tenantId, { campaignId, count: 1 }),
    ).rejects.toMatchObject({ code: 'TENANT_QUOTA_EXCEEDED' });
    expect(await world.services.tenants.find(tenant.tenantId)).toMatchObject({
      codesIssued: 5,
      codeQuota: 2,
    });
  });

  it('is refused to the staff of a channel, and to who would disable their own tenant', async () => {
    const { tenantId } = await fresh();
    expect(refusalIn(await updateTenant(tenantId, { tenantId, codeQuota: 0 }))).toBe(
      'PLATFORM_TENANT_REQUIRED',
    );
    expect(refusalIn(await updateTenant(platformId, { tenantId: platformId, status: 'DISABLED' }))).toBe(
      'OWN_TENANT_NOT_DISABLED',
    );
    expect(refusalIn(await updateTenant(platformId, { tenantId: 'T_NOBODY', name: 'x' }))).toBe(
      'TENANT_NOT_FOUND',
    );
    expect(await world.services.tenants.find(tenantId)).toMatchObject({ version: 1 });
    expect(await world.services.tenants.find(platformId)).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('updateUser', () => {
  it('changes status and tags by either id, and counts at the next redemption', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1, {
      rule: { rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId, condition: { userTag: 'vip' } }] },
    });
    const { userId } = await world.services.users.createUserToken(tenantId, { externalUserId: 'u-1' });
    const attempt = async () => outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''));
    expect(await attempt()).toBe('NO_REWARD_FOR_USER');
    const { user } = await updateUser(tenantId, { externalUserId: 'u-1', tags: ['vip', 'vip'] });
    expect(user).toEqual({ id: userId, externalId: 'u-1', status: 'ACTIVE', tags: ['vip'], version: 2 });
    await updateUser(tenantId, { userId, status: 'DISABLED' });
    expect(await attempt()).toBe('USER_DISABLED');
    await updateUser(tenantId, { userId, status: 'ACTIVE' });
    expect(await attempt()).toBe('COMMITTED');
  });

  it.each([
    ['both ids', { userId: '1', externalUserId: 'u-1' }, 'ONE_USER_REQUIRED'],
    ['neither id', {}, 'ONE_USER_REQUIRED'],
    ['an unknown id', { userId: '1' }, 'USER_NOT_FOUND'],
    ['what is no id', { userId: 'x' }, 'USER_NOT_FOUND'],
    ['an empty tag', { externalUserId: 'u-1', tags: [''] }, 'TAGS_NOT_ALLOWED'],
    ['an older version', { externalUserId: 'u-1', tags: [], expectedVersion: 5 }, 'VERSION_CONFLICT'],
  ])('is refused with %s, and nothing is written', async (_name, fault, code) => {
    const { tenantId } = await seedTenant(world);
    const before = await world.services.users.ensureUser(tenantId, 'u-1', ['a']);
    expect(refusalIn(await updateUser(tenantId, { status: 'DISABLED', ...fault }))).toBe(code);
    expect(await world.services.users.find(tenantId, { id: before.id })).toMatchObject({
      status: 'ACTIVE',
      tags: ['a'],
      version: 1,
    });
  });
});

it.each(['updateProductLine', 'updatePlan', 'updateUser', 'updateCampaign', 'updateTenant'])(
  '%s takes one of ten changes that were made from the same version, and refuses nine',
  async (mutation) => {
    const tenant = await seedTenant(world);
    const { campaignId } = await seedCampaign(world, tenant, 1, { isActive: false });
    const { id: userId } = await world.services.users.ensureUser(tenant.tenantId, 'u-1');
    const inputs: Record<string, (index: number) => Record<string, unknown>> = {
      updateProductLine: (index) => ({ code: 'APP_A', name: `n-${index}` }),
      updatePlan: (index) => ({ planId: tenant.planId, name: `n-${index}` }),
      updateUser: (index) => ({ userId, tags: [`t-${index}`] }),
      updateCampaign: (index) => ({ campaignId, name: `n-${index}` }),
      updateTenant: (index) => ({ tenantId: tenant.tenantId, name: `n-${index}` }),
    };
    const asking = mutation === 'updateTenant' ? platformId : tenant.tenantId;
    const payloads = await Promise.all(
      Array.from({ length: 10 }, async (_, index) =>
        change(asking, mutation, { ...inputs[mutation]?.(index), expectedVersion: 1 }, ''),
      ),
    );
    const outcomes = payloads.map((payload) => refusalIn(payload) ?? 'DONE').toSorted();
    expect(outcomes).toEqual(['DONE', ...Array.from({ length: 9 }, () => 'VERSION_CONFLICT')]);
  },
);

it('values whose total no amount can state are counted, and preview and redemption agree', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const value = '99999999999999999999';
  const { campaignId, codes } = await seedCampaign(world, tenant, 4, {
    rule: { rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId, value }] },
  });
  const attempt = async (code = ''): Promise<string> =>
    outcomeOf(await redeem(world, tenantId, await seedUser(world, tenantId), code));
  for (const code of codes.slice(0, 3)) expect(await attempt(code)).toBe('COMMITTED');
  await change(tenantId, 'updateCampaign', { campaignId, budgetValue: value, userLimitTotal: 1 }, '');
  const userId = await seedUser(world, tenantId);
  const asked = { tenantId, userId, productCode: 'DEMO', deviceId: null, idempotencyKey: null };
  const preview = await world.services.previews.preview({ ...asked, code: codes[3] ?? '' });
  expect(preview.refusal?.code).toBe('BUDGET_EXHAUSTED');
  expect(await attempt(codes[3])).toBe('BUDGET_EXHAUSTED');
  await change(tenantId, 'updateCampaign', { campaignId, budgetValue: '0' }, '');
  expect(await attempt(codes[3])).toBe('COMMITTED');
});
