import 'reflect-metadata';
import { graphql, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import { CampaignResolver } from '../../src/campaigns/campaign.resolver.js';
import { BatchResolver } from '../../src/codes/batch.resolver.js';
import { CodeResolver } from '../../src/codes/code.resolver.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { AccessService } from '../../src/identity/access.service.js';
import type { Actor, StaffRole } from '../../src/graphql/actor.js';
import { TokenService } from '../../src/identity/token.service.js';
import { UserChangeService } from '../../src/identity/users/user-change.service.js';
import { UserResolver } from '../../src/identity/users/user.resolver.js';
import { UserService } from '../../src/identity/users/user.service.js';
import { ProductLineResolver } from '../../src/tenancy/product-line.resolver.js';
import { TenantChangeService } from '../../src/tenancy/tenant-change.service.js';
import { TenantResolver } from '../../src/tenancy/tenant.resolver.js';
import { openCodesWorld, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
let schema: GraphQLSchema;
let tenantId: string;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
  tenantId = await world.addTenant();
  const tokens = new TokenService(['a secret of at least 32 characters'], world.clock);
  const users = new UserService(world.orm, world.ids, world.clock, tokens, world.transactions);
  const tenantChanges = new TenantChangeService(world.transactions, world.tenants, [], { isRemote: false });
  const ports = { findNodes: async () => new Set<string>(), userStatusChanged: async () => undefined };
  const access = new AccessService(world.orm, 5000, ports);
  schema = buildRedeemkitSchema([
    new BatchResolver(world.generation, world.batchChanges, world.codeReader),
    new CampaignResolver(world.launches, world.campaignChanges, world.campaignReader),
    new CodeResolver(world.codeChanges, world.codeReader),
    new ProductLineResolver(world.lines),
    new TenantResolver(world.tenants, tenantChanges),
    new UserResolver(users, new UserChangeService(world.transactions, access, ports, world.clock)),
  ]);
});
afterAll(async () => world?.close());

const staff = (role: StaffRole, tenant = tenantId): Actor => ({
  kind: 'STAFF',
  tenantId: tenant,
  staffId: '1',
  role,
});

async function run(
  actor: Actor | null,
  source: string,
  input: Record<string, unknown> = {},
  idempotencyKey: string | null = null,
): Promise<{ data: Record<string, Record<string, unknown>>; errors: unknown[] }> {
  const contextValue = { actor, idempotencyKey } as unknown as RequestContext;
  const { data, errors } = await graphql({
    schema,
    source,
    variableValues: { input, ...input },
    contextValue,
  });
  const failures = errors?.map((error) => error.extensions['code'] ?? error.message) ?? [];
  // Null prototypes of the answer would not be equal to literals.
  return {
    data: JSON.parse(JSON.stringify(data ?? null)) as Record<string, Record<string, unknown>>,
    errors: failures,
  };
}

const CREATE_CAMPAIGN = `mutation ($input: CreateCampaignInput!) { createCampaign(input: $input) {
  campaign { id status version startsAt budgetValue tenantType rule {
    codeType length prefix excludeChars validDays useLimit applicableProducts
    rewardRules { type targetId unit quantity value condition { userTag } } } }
  batchId codes errors { code message field } } }`;
const GENERATE = `mutation ($input: GenerateCodesInput!) { generateCodes(input: $input) {
  batch { id status requested generated frozenAt } codes replayed errors { code field } } }`;

/** The JSON of seed 004, except for the available reward and the name of its id. */
const seedRule = {
  ruleId: 'invite_reward_2023',
  codeType: 'RANDOM_ALPHANUM',
  length: 12,
  validDays: 30,
  useLimit: 1,
  applicableProducts: ['APP_A'],
  rewardRules: [{ type: 'SUBSCRIPTION', targetId: '4711', condition: { userTag: 'invited_user' } }],
};

interface CampaignAnswer {
  readonly campaign: { readonly id: string; readonly rule: unknown } | null;
  readonly batchId: string | null;
  readonly codes: string[] | null;
  readonly errors: { readonly code: string; readonly field: string[] }[];
}

async function createCampaign(input: Record<string, unknown> = {}, key: string | null = null) {
  const rule = { ruleId: 'r', codeType: 'ALPHANUM' };
  const asked = { name: 'Campaign', rule, ...input };
  const { data } = await run(staff('OPERATOR'), CREATE_CAMPAIGN, asked, key);
  return data['createCampaign'] as unknown as CampaignAnswer;
}

describe('createCampaign', () => {
  it('takes the rule of seed 004 as variables, and answers it complete', async () => {
    const line = `mutation ($input: CreateProductLineInput!) { createProductLine(input: $input) {
      productLine { code hourLimit dayLimit status } errors { code } } }`;
    const made = await run(staff('OWNER'), line, { code: 'APP_A', name: 'App', hourLimit: 100 });
    expect(made.data['createProductLine']).toEqual({
      productLine: { code: 'APP_A', hourLimit: 100, dayLimit: null, status: 'ACTIVE' },
      errors: [],
    });
    const startsAt = '2030-01-01T00:00:00.000Z';
    const answer = await createCampaign({ rule: seedRule, startsAt, budgetValue: '12.50', initialCodes: 2 });
    expect(answer.errors).toEqual([]);
    expect(answer.codes).toHaveLength(2);
    expect(answer.campaign).toMatchObject({
      status: 'DRAFT',
      version: 1,
      startsAt,
      budgetValue: '12.5',
      tenantType: 'CHANNEL',
      rule: {
        codeType: 'ALPHANUM',
        length: 12,
        prefix: '',
        excludeChars: [],
        validDays: 30,
        rewardRules: [
          {
            type: 'SUBSCRIPTION',
            targetId: '4711',
            unit: null,
            quantity: 1,
            value: '0',
            condition: { userTag: 'invited_user' },
          },
        ],
      },
    });
  });

  it('takes the key of the header where the input has none', async () => {
    const [first, again] = [await createCampaign({}, 'header-key'), await createCampaign({}, 'header-key')];
    expect(again.campaign?.id).toBe(first.campaign?.id);
    const own = await createCampaign({ idempotencyKey: 'header-key' }, 'header-key');
    expect(own.campaign?.id).toBe(first.campaign?.id);
  });

  it('and generateCodes refuse a key of the input that differs from that of the header, and make nothing', async () => {
    const before = await world.state(tenantId);
    const refused = await createCampaign({ idempotencyKey: 'own-key' }, 'header-key');
    const error = { code: 'IDEMPOTENCY_KEYS_DIFFER', field: ['input', 'idempotencyKey'] };
    expect(refused).toMatchObject({ campaign: null, errors: [error] });
    const input = { campaignId: before.campaigns[0]?.id, count: 1, idempotencyKey: 'own-key' };
    const { data } = await run(staff('OPERATOR'), GENERATE, input, 'header-key');
    expect(data['generateCodes']).toEqual({ batch: null, codes: null, replayed: null, errors: [error] });
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('answers a refusal as data, with the field at fault', async () => {
    const answer = await createCampaign({ rule: { ruleId: 'r', codeType: 'PATTERN', pattern: 'SUMMER' } });
    expect([answer.campaign, answer.batchId, answer.codes]).toEqual([null, null, null]);
    expect(answer.errors).toMatchObject([
      { code: 'CODE_PATTERN_WITHOUT_RANDOM', field: ['input', 'rule', 'pattern'] },
    ]);
  });
});

it('a campaign is activated, its codes generated, listed, switched off, changed and deleted', async () => {
  const campaignId = (await createCampaign()).campaign?.id ?? '';
  const step =
    'mutation ($input: CampaignIdInput!) { activateCampaign(input: $input) { campaign { status } errors { code } } }';
  const activated = await run(staff('OWNER'), step, { campaignId });
  expect(activated.data['activateCampaign']).toEqual({ campaign: { status: 'ACTIVE' }, errors: [] });
  const again = await run(staff('OWNER'), step, { campaignId });
  expect(again.data['activateCampaign']).toEqual({
    campaign: null,
    errors: [{ code: 'CAMPAIGN_NOT_DRAFT' }],
  });

  const generated = await run(staff('OPERATOR'), GENERATE, { campaignId, count: 3 }, 'generate-key');
  const { batch, codes } = generated.data['generateCodes'] as { batch: { id: string }; codes: string[] };
  expect(batch).toMatchObject({ status: 'READY', requested: 3, generated: 3, frozenAt: null });
  const replayed = await run(staff('OPERATOR'), GENERATE, { campaignId, count: 3 }, 'generate-key');
  expect(replayed.data['generateCodes']).toMatchObject({ batch: { id: batch.id }, codes, replayed: true });

  const list = `query ($campaignId: ID) { codes(filter: { campaignId: $campaignId }, page: 1, size: 2) {
    total items { id code lastFour status effectiveStatus useLimit used version } } }`;
  const listed = await run(staff('AUDITOR'), list, { campaignId });
  const page = listed.data['codes'] as {
    total: number;
    items: { id: string; code: string; effectiveStatus: string }[];
  };
  expect([page.total, page.items.map((item) => item.code)]).toEqual([3, [codes[2], codes[1]]]);
  expect(page.items.map((item) => item.effectiveStatus)).toEqual(['ACTIVE', 'ACTIVE']);
  const codeId = page.items[0]?.id ?? '';

  const disable = `mutation ($input: SetCodeEnabledInput!) { setCodeEnabled(input: $input) {
    code { status effectiveStatus version } errors { code } } }`;
  const disabled = await run(staff('OPERATOR'), disable, { codeId, enabled: false });
  expect(disabled.data['setCodeEnabled']).toEqual({
    code: { status: 'DISABLED', effectiveStatus: 'DISABLED', version: 2 },
    errors: [],
  });

  const update = `mutation ($input: UpdateCodeInput!) { updateCode(input: $input) {
    code { useLimit expiresAt } errors { code } } }`;
  const expiresAt = '2031-01-01T00:00:00.000Z';
  const updated = await run(staff('OPERATOR'), update, { codeId, useLimit: 5, expiresAt });
  expect(updated.data['updateCode']).toEqual({ code: { useLimit: 5, expiresAt }, errors: [] });
  const text = await run(staff('OPERATOR'), update, { codeId, code: 'ABCDEFGH' });
  expect(text.errors).toHaveLength(1);

  const freeze =
    'mutation ($input: BatchIdInput!) { freezeBatch(input: $input) { batch { frozenAt } errors { code } } }';
  const frozen = await run(staff('OPERATOR'), freeze, { batchId: batch.id });
  expect(frozen.data['freezeBatch']).toMatchObject({
    batch: { frozenAt: expect.any(String) as string },
    errors: [],
  });
  const byState = `query ($states: [CodeEffectiveStatus!]) { codes(filter: { effectiveStatus: $states }) {
    total items { effectiveStatus } } }`;
  expect((await run(staff('AUDITOR'), byState, { states: ['FROZEN'] })).data['codes']).toEqual({
    total: 3,
    items: [{ effectiveStatus: 'FROZEN' }, { effectiveStatus: 'FROZEN' }, { effectiveStatus: 'FROZEN' }],
  });

  const remove =
    'mutation ($input: DeleteCodesInput!) { deleteCodes(input: $input) { deleted errors { code } } }';
  const removed = await run(staff('OPERATOR'), remove, { codeIds: [codeId] });
  expect(removed.data['deleteCodes']).toEqual({ deleted: 1, errors: [] });
  expect((await run(staff('AUDITOR'), list, { campaignId })).data['codes']).toMatchObject({ total: 2 });
});

it('updateCampaign leaves what is missing, and takes away what is null', async () => {
  const startsAt = '2030-01-01T00:00:00.000Z';
  const campaignId = (await createCampaign({ startsAt, userLimitDay: 4 })).campaign?.id ?? '';
  const update = `mutation ($input: UpdateCampaignInput!) { updateCampaign(input: $input) {
    campaign { name startsAt userLimitDay } errors { code } } }`;
  const renamed = await run(staff('OPERATOR'), update, { campaignId, name: 'New' });
  expect(renamed.data['updateCampaign']).toMatchObject({
    campaign: { name: 'New', startsAt, userLimitDay: 4 },
  });
  const opened = await run(staff('OPERATOR'), update, { campaignId, startsAt: null });
  expect(opened.data['updateCampaign']).toMatchObject({
    campaign: { name: 'New', startsAt: null, userLimitDay: 4 },
  });
});

it('createUserToken signs a user in by its foreign id', async () => {
  const sign = `mutation ($input: CreateUserTokenInput!) { createUserToken(input: $input) {
    token userId expiresAt errors { code field } } }`;
  const signed = await run(staff('OPERATOR'), sign, { externalUserId: 'u-1', tags: ['a'] });
  expect(signed.data['createUserToken']).toMatchObject({ token: expect.any(String) as string, errors: [] });
  const refused = await run(staff('OPERATOR'), sign, { externalUserId: '', tags: ['a'] });
  expect(refused.data['createUserToken']?.['errors']).toEqual([
    { code: 'EXTERNAL_USER_ID_NOT_ALLOWED', field: ['input', 'externalUserId'] },
  ]);
});

it('createTenant is for owners of a platform tenant', async () => {
  const create =
    'mutation ($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id codeQuota } errors { code } } }';
  const input = { id: `N_${tenantId}`, name: 'New', type: 'CHANNEL', codeQuota: 9 };
  expect((await run(staff('OPERATOR'), create, input)).errors).toEqual(['FORBIDDEN']);
  const refused = await run(staff('OWNER'), create, input);
  expect(refused.data['createTenant']).toEqual({
    tenant: null,
    errors: [{ code: 'PLATFORM_TENANT_REQUIRED' }],
  });
  const platform = `P_${tenantId}`;
  await world.tenants.create({ id: platform, name: 'Platform', type: 'PLATFORM' });
  const made = await run(staff('OWNER', platform), create, input);
  expect(made.data['createTenant']).toEqual({ tenant: { id: input.id, codeQuota: 9 }, errors: [] });
});

describe('who may do what', () => {
  const changes: [string, string][] = [
    ['createCampaign', '{ name: "C", rule: { ruleId: "r", codeType: UUID } }'],
    ['updateCampaign', '{ campaignId: 1 }'],
    ['activateCampaign', '{ campaignId: 1 }'],
    ['pauseCampaign', '{ campaignId: 1 }'],
    ['resumeCampaign', '{ campaignId: 1 }'],
    ['endCampaign', '{ campaignId: 1 }'],
    ['generateCodes', '{ campaignId: 1, count: 1 }'],
    ['setCodeEnabled', '{ codeId: 1, enabled: true }'],
    ['updateCode', '{ codeId: 1 }'],
    ['deleteCodes', '{ codeIds: [1] }'],
    ['freezeBatch', '{ batchId: 1 }'],
    ['unfreezeBatch', '{ batchId: 1 }'],
    ['voidBatch', '{ batchId: 1 }'],
    ['createTenant', '{ id: "T_X", name: "X", type: CHANNEL }'],
    ['createProductLine', '{ code: "APP_X", name: "X" }'],
    ['createUserToken', '{ externalUserId: "x" }'],
  ];

  it.each(changes)(
    '%s is refused to auditors, users and strangers, and nothing is written',
    async (name, input) => {
      const before = await world.state(tenantId);
      const source = `mutation { ${name}(input: ${input}) { errors { code } } }`;
      const user: Actor = { kind: 'USER', tenantId, userId: '1' };
      expect((await run(staff('AUDITOR'), source)).errors).toEqual(['FORBIDDEN']);
      expect((await run(user, source)).errors).toEqual(['FORBIDDEN']);
      expect((await run(null, source)).errors).toEqual(['UNAUTHENTICATED']);
      expect(await world.state(tenantId)).toEqual(before);
    },
  );

  it.each([
    ['campaign', 'campaign(id: 1) { id }'],
    ['campaigns', 'campaigns { total }'],
    ['batch', 'batch(id: 1) { id }'],
    ['code', 'code(id: 1) { id }'],
    ['codes', 'codes { total }'],
    ['productLines', 'productLines { code }'],
  ])('%s is read by auditors, and not by users and strangers', async (_name, source) => {
    expect((await run(staff('AUDITOR'), `{ ${source} }`)).errors).toEqual([]);
    expect((await run({ kind: 'USER', tenantId, userId: '1' }, `{ ${source} }`)).errors).toEqual([
      'FORBIDDEN',
    ]);
    expect((await run(null, `{ ${source} }`)).errors).toEqual(['UNAUTHENTICATED']);
  });
});
