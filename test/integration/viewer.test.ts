import { randomBytes } from 'node:crypto';
import {
  getNamedType,
  GraphQLNonNull,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLInputType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { openWorld, redeem, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

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

const VIEWER = `{ viewer { kind tenantId tenantName tenantType staffId role user { id externalId tags } permissions } }`;
const OPERATIONS = '{ viewer { permissions operations } }';

describe('viewer', () => {
  it('says who a user is, who a member of staff is, and nothing without a token', async () => {
    const { tenantId } = await seedTenant(world);
    const { userId } = await world.services.users.createUserToken(tenantId, {
      externalUserId: 'u-1',
      tags: ['a'],
    });
    const tenant = { tenantId, tenantName: 'Test tenant', tenantType: 'CHANNEL' };
    const user: Actor = { kind: 'USER', tenantId, userId };
    expect((await api.ask(user, VIEWER)).data['viewer']).toEqual({
      kind: 'USER',
      ...tenant,
      staffId: null,
      role: null,
      user: { id: userId, externalId: 'u-1', tags: ['a'] },
      permissions: ['REDEEM', 'SPEND'],
    });
    expect((await api.ask(staffOf(tenantId, 'AUDITOR'), VIEWER)).data['viewer']).toEqual({
      kind: 'STAFF',
      ...tenant,
      staffId: 'eve',
      role: 'AUDITOR',
      user: null,
      permissions: ['READ'],
    });
    expect(await api.ask(null, VIEWER)).toEqual({ data: { viewer: null }, errors: [] });
  });

  it('names exactly the permissions and the operations by which mutations are allowed or forbidden', async () => {
    const { tenantId } = await seedTenant(world);
    const actors: Actor[] = [
      { kind: 'USER', tenantId, userId: await seedUser(world, tenantId) },
      { kind: 'NODE', tenantId, nodeId: '1' },
      ...(['OWNER', 'OPERATOR', 'AUDITOR'] as const).flatMap((role) => [
        staffOf(tenantId, role),
        staffOf(platformId, role),
      ]),
    ];
    for (const actor of actors) {
      const { viewer } = (await api.ask(actor, OPERATIONS)).data;
      const permissions = viewer?.['permissions'] as string[];
      const operations = new Set(viewer?.['operations'] as string[]);
      for (const [mutation, { args }] of Object.entries(api.schema.getMutationType()?.getFields() ?? {})) {
        const needed = NEEDED[mutation] ?? ['CHANGE'];
        const [input] = args;
        const selection = '{ errors { code } }';
        const { data, errors } =
          input === undefined
            ? await api.ask(actor, `mutation { ${mutation} ${selection} }`)
            : await api.ask(
                actor,
                `mutation ($input: ${String(input.type)}) { ${mutation}(input: $input) ${selection} }`,
                { input: anyValue(input.type) },
              );
        const refusals = (data[mutation]?.['errors'] ?? []) as { code: string }[];
        const isForbidden =
          errors.includes('FORBIDDEN') || refusals.some(({ code }) => code === 'PLATFORM_TENANT_REQUIRED');
        const who = `${actor.tenantId} ${actor.kind === 'STAFF' ? actor.role : actor.kind} ${mutation}`;
        expect([who, errors.filter((code) => code !== 'FORBIDDEN'), isForbidden]).toEqual([
          who,
          [],
          !OPEN.has(mutation) && !needed.some((permission) => permissions.includes(permission)),
        ]);
        expect([who, operations.has(mutation)]).toEqual([who, !isForbidden]);
      }
    }
  });
});

/** The ways in: for callers without a token, so that no kind of token forbids them. */
const OPEN = new Set([
  'signInStaff',
  'beginStaffOidc',
  'completeStaffOidc',
  'refreshStaffSession',
  'acceptStaffInvitation',
  'deviceLogin',
  'refreshDeviceSession',
]);

/** Each of these allows it. All others take CHANGE. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  redeemCode: ['REDEEM'],
  transfer: ['SPEND'],
  placeOrder: ['SPEND'],
  payOrder: ['SPEND'],
  // Users cancel their own orders, staff those of all.
  cancelOrder: ['SPEND', 'CHANGE'],
  inviteStaff: ['CHANGE_STAFF'],
  resetStaff: ['CHANGE_STAFF'],
  updateStaff: ['CHANGE_STAFF'],
  eraseUser: ['CHANGE_STAFF'],
  // As are the keys that sign users in.
  setUserTokenIssuer: ['CHANGE_STAFF'],
  // Users, for themselves.
  signOutDevice: ['REDEEM'],
  createDeviceLinkCode: ['REDEEM', 'CHANGE'],
  unbindDevice: ['REDEEM', 'CHANGE'],
  // Staff of any role, for themselves.
  signOutStaff: ['READ'],
  changeStaffPassword: ['READ'],
  enrolSecondFactor: ['READ'],
  confirmSecondFactor: ['READ'],
  removeSecondFactor: ['READ'],
  regenerateRecoveryCodes: ['READ'],
  // Users and staff their own.
  endSession: ['REDEEM', 'READ'],
  createTenant: ['CHANGE_TENANTS'],
  updateTenant: ['CHANGE_TENANTS'],
};

/** A value that fits the type; what it means does not matter, because who may ask is judged first. */
function anyValue(type: GraphQLInputType): unknown {
  const bare = isNonNullType(type) ? type.ofType : type;
  if (isListType(bare)) return [anyValue(bare.ofType)];
  if (isEnumType(bare)) return bare.getValues()[0]?.name;
  if (isInputObjectType(bare)) {
    const required = Object.values(bare.getFields()).filter((field) => field.type instanceof GraphQLNonNull);
    return Object.fromEntries(required.map((field) => [field.name, anyValue(field.type)]));
  }
  const byName: Record<string, unknown> = {
    Boolean: true,
    Int: 1,
    Decimal: '1',
    SafeInt: 1,
    DateTime: '2030-01-01T00:00:00Z',
  };
  return byName[getNamedType(bare).name] ?? '1';
}

describe('tenants', () => {
  const TENANTS = `query ($filter: TenantFilterInput, $page: Int, $size: Int) {
    tenants(filter: $filter, page: $page, size: $size) { total items { id } } }`;

  it('are listed for the staff of a platform tenant, by status, type and part of id or name', async () => {
    const mark = randomBytes(6).toString('hex').toUpperCase();
    const ids = ['A', 'B', 'C'].map((letter) => `T_${letter}${mark}`);
    for (const id of ids) await world.services.tenants.create({ id, name: 'Name', type: 'CHANNEL' });
    const percent = { id: `T_D${mark}`, name: `100% ${mark}`, type: 'CHANNEL' };
    await world.services.tenants.create(percent);
    await world.services.tenantChanges.update(ids[1] ?? '', { status: 'DISABLED' });
    const list = async (filter: Record<string, unknown>, page = 1, size = 15) => {
      const { data, errors } = await api.ask(staffOf(platformId, 'AUDITOR'), TENANTS, { filter, page, size });
      expect(errors).toEqual([]);
      const { total, items } = data['tenants'] as { total: number; items: { id: string }[] };
      return [total, items.map((item) => item.id)];
    };
    const part = mark.toLowerCase();
    expect(await list({ part, status: 'DISABLED' })).toEqual([1, [ids[1]]]);
    expect(await list({ part, type: 'PLATFORM' })).toEqual([0, []]);
    expect(await list({ part: `0% ${part}` })).toEqual([1, [percent.id]]);
    expect(await list({ part: `_%${part}` })).toEqual([0, []]);
    const [total, items] = await list({ part }, 2, 3);
    expect([total, (items as string[]).length]).toEqual([4, 1]);
  });

  it('are forbidden to the staff of a channel, who see their own tenant and no other', async () => {
    const [own, other] = [await seedTenant(world), await seedTenant(world)];
    const asking = staffOf(own.tenantId, 'AUDITOR');
    expect((await api.ask(asking, TENANTS)).errors).toEqual(['FORBIDDEN']);
    const source = `{ own: tenant { id codesIssued } other: tenant(id: "${other.tenantId}") { id } }`;
    expect((await api.ask(asking, source)).data).toEqual({
      own: { id: own.tenantId, codesIssued: 0 },
      other: null,
    });
    expect((await api.ask(staffOf(platformId), source)).data).toMatchObject({
      other: { id: other.tenantId },
    });
    const user: Actor = { kind: 'USER', tenantId: own.tenantId, userId: '1' };
    expect((await api.ask(user, '{ tenant { id } }')).errors).toEqual(['FORBIDDEN']);
  });
});

describe('users', () => {
  const USERS = `query ($filter: UserFilterInput, $page: Int, $size: Int) {
    users(filter: $filter, page: $page, size: $size) { total items { externalId status } } }`;

  it('are listed newest first by status and external id, with the exact total, and found by either id', async () => {
    const { tenantId } = await seedTenant(world);
    const ids: string[] = [];
    for (const name of ['u-1', 'u-2', 'u-3']) {
      ids.push((await world.services.users.ensureUser(tenantId, name)).id);
    }
    await world.services.userChanges.update(tenantId, { externalUserId: 'u-2', status: 'DISABLED' });
    const asking = staffOf(tenantId, 'AUDITOR');
    const list = async (filter: Record<string, unknown>, size = 15) =>
      (await api.ask(asking, USERS, { filter, page: 1, size })).data['users'];
    expect(await list({}, 1)).toEqual({ total: 3, items: [{ externalId: 'u-3', status: 'ACTIVE' }] });
    expect(await list({ status: 'DISABLED' })).toEqual({
      total: 1,
      items: [{ externalId: 'u-2', status: 'DISABLED' }],
    });
    expect(await list({ externalUserId: 'u-1' })).toMatchObject({ total: 1 });
    const source = `{ one: user(id: "${ids[0]}") { externalId } two: user(externalUserId: "u-2") { id } none: user { id } }`;
    expect((await api.ask(asking, source)).data).toEqual({
      one: { externalId: 'u-1' },
      two: { id: ids[1] },
      none: null,
    });
    const { tenantId: other } = await seedTenant(world);
    expect((await api.ask(staffOf(other), source)).data).toEqual({ one: null, two: null, none: null });
    const user: Actor = { kind: 'USER', tenantId, userId: ids[0] ?? '' };
    expect((await api.ask(user, USERS)).errors).toEqual(['FORBIDDEN']);
  });
});

it('redemptions are found by the external id of their user, and by no contradiction', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, 1);
  const { id: userId } = await world.services.users.ensureUser(tenantId, 'u-1');
  const { id: otherId } = await world.services.users.ensureUser(tenantId, 'u-2');
  await redeem(world, tenantId, userId, codes[0] ?? '');
  const REDEMPTIONS = 'query ($filter: RedemptionFilter) { redemptions(filter: $filter) { total } }';
  const total = async (filter: Record<string, unknown>, actor = staffOf(tenantId, 'AUDITOR')) =>
    (await api.ask(actor, REDEMPTIONS, { filter })).data['redemptions']?.['total'];
  expect(await total({ externalUserId: 'u-1' })).toBe(1);
  expect(await total({ externalUserId: 'u-1', userId })).toBe(1);
  expect(await total({ externalUserId: 'u-2' })).toBe(0);
  expect(await total({ externalUserId: 'u-1', userId: otherId })).toBe(0);
  expect(await total({ externalUserId: 'nobody' })).toBe(0);
  expect(await total({ externalUserId: 'u-1' }, { kind: 'USER', tenantId, userId: otherId })).toBe(0);
});
