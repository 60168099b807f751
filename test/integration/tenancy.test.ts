import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TokenService } from '../../src/identity/token.service.js';
import { User } from '../../src/identity/users/user.entity.js';
import { UserService } from '../../src/identity/users/user.service.js';
import { ACROSS_TENANTS } from '../../src/platform/database/tenant-filter.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { ProductLine } from '../../src/tenancy/product-line.entity.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { openCodesWorld, outcomeOf, refusalOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

const randomKey = (prefix: string): string => `${prefix}${world.ids.next().slice(-12)}`;

/** Underscores alone, or where another key would look the same. */
const ODD_KEYS = ['__', '___', '_A', 'A_', 'A__B', '_A_'];

describe('tenants', () => {
  const bad: [string, Record<string, unknown>, string][] = [
    ['a short id', { id: 'A' }, 'TENANT_ID_NOT_ALLOWED'],
    ['a long id', { id: 'A'.repeat(25) }, 'TENANT_ID_NOT_ALLOWED'],
    ['an id in small letters', { id: 'ch_123' }, 'TENANT_ID_NOT_ALLOWED'],
    ...ODD_KEYS.map((id): [string, Record<string, unknown>, string] => [
      `the id ${id}`,
      { id },
      'TENANT_ID_NOT_ALLOWED',
    ]),
    ['an id with a line feed', { id: 'CH_123\n' }, 'TENANT_ID_NOT_ALLOWED'],
    ['an id that is an operator', { id: { $ne: null } }, 'TENANT_ID_NOT_ALLOWED'],
    ['no name', { name: '   ' }, 'NAME_NOT_ALLOWED'],
    ['a long name', { name: 'n'.repeat(65) }, 'NAME_NOT_ALLOWED'],
    ['a name with a control character', { name: 'a\u0007b' }, 'NAME_NOT_ALLOWED'],
    ['a name that runs backwards', { name: 'a\u202eb' }, 'NAME_NOT_ALLOWED'],
    ['an unknown type', { type: 'PARTNER' }, 'TENANT_TYPE_UNKNOWN'],
    ['a negative quota', { codeQuota: -1 }, 'QUOTA_OUT_OF_RANGE'],
    ['half a code', { codeQuota: 1.5 }, 'QUOTA_OUT_OF_RANGE'],
    ['a quota that is no number', { codeQuota: Number.NaN }, 'QUOTA_OUT_OF_RANGE'],
    ['a quota beyond all counts', { codeQuota: 2 ** 31 }, 'QUOTA_OUT_OF_RANGE'],
    ['a zone that is none', { timeZone: 'Berlin' }, 'TIME_ZONE_UNKNOWN'],
    ['an offset for a zone', { timeZone: '+01:00' }, 'TIME_ZONE_UNKNOWN'],
  ];

  it.each(bad)('are refused with %s, and nothing is written', async (_name, fault, code) => {
    const id = randomKey('T');
    const input = { id, name: 'Name', type: 'CHANNEL', ...fault };
    expect(await refusalOf(world.tenants.create(input))).toBe(code);
    expect(await world.tenants.find(id)).toBeNull();
  });

  it('are made once, also by ten calls at the same time', async () => {
    const id = randomKey('T');
    const input = { id, name: ' Name ', type: 'CHANNEL' as const, codeQuota: 7 };
    const calls = Array.from({ length: 10 }, async () => world.tenants.create(input));
    const settled = await Promise.allSettled(calls);
    expect(settled.filter((call) => call.status === 'fulfilled')).toHaveLength(1);
    const refused = settled.flatMap((call) =>
      call.status === 'rejected' ? [call.reason as { code: string }] : [],
    );
    expect(new Set(refused.map((reason) => reason.code))).toEqual(new Set(['TENANT_EXISTS']));
    expect(await world.tenants.find(id)).toMatchObject({
      name: 'Name',
      status: 'ACTIVE',
      codeQuota: 7,
      codesIssued: 0,
    });
  });

  it('are made by the staff of a platform tenant and of no other', async () => {
    const channel = await world.addTenant();
    const platform = randomKey('P');
    await world.tenants.create({ id: platform, name: 'Platform', type: 'PLATFORM' });
    const input = { id: randomKey('T'), name: 'Name', type: 'CHANNEL' };
    expect(await refusalOf(world.tenants.createBy(channel, input))).toBe('PLATFORM_TENANT_REQUIRED');
    expect(await refusalOf(world.tenants.createBy('T_NOBODY', input))).toBe('PLATFORM_TENANT_REQUIRED');
    expect(await world.tenants.find(input.id)).toBeNull();
    await expect(world.tenants.createBy(platform, input)).resolves.toMatchObject({ id: input.id });
  });

  it('give back no more codes than they have issued', async () => {
    const tenantId = await world.addTenant();
    await world.transactions.run(tenantId, async (em) => world.tenants.reserveCodes(em, tenantId, 3));
    const giveBack = world.transactions.run(tenantId, async (em) =>
      world.tenants.giveBackCodes(em, tenantId, 4),
    );
    await expect(giveBack).rejects.toThrow('more codes than it has issued');
    expect((await world.state(tenantId)).issued).toBe(3);
  });

  it('keep their quota exactly when several callers ask at the same time', async () => {
    const tenantId = await world.addTenant(10);
    const take = async (count: number): Promise<string> =>
      outcomeOf(
        world.transactions.run(tenantId, async (em) => world.tenants.reserveCodes(em, tenantId, count)),
      );
    const outcomes = await Promise.all(Array.from({ length: 20 }, async () => take(3)));
    expect(outcomes.filter((outcome) => outcome === 'DONE')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'TENANT_QUOTA_EXCEEDED')).toHaveLength(17);
    expect((await world.state(tenantId)).issued).toBe(9);
    expect(await take(1)).toBe('DONE');
    expect(await take(1)).toBe('TENANT_QUOTA_EXCEEDED');
  });
});

describe('product lines', () => {
  const bad: [string, Record<string, unknown>, string][] = [
    ['a short code', { code: 'A' }, 'PRODUCT_CODE_NOT_ALLOWED'],
    ['a long code', { code: 'A'.repeat(17) }, 'PRODUCT_CODE_NOT_ALLOWED'],
    ...ODD_KEYS.map((code): [string, Record<string, unknown>, string] => [
      `the code ${code}`,
      { code },
      'PRODUCT_CODE_NOT_ALLOWED',
    ]),
    ['a code in small letters', { code: 'app_a' }, 'PRODUCT_CODE_NOT_ALLOWED'],
    ['no name', { name: '' }, 'NAME_NOT_ALLOWED'],
    ['a negative limit', { hourLimit: -1 }, 'LIMIT_OUT_OF_RANGE'],
    ['half a limit', { dayLimit: 0.5 }, 'LIMIT_OUT_OF_RANGE'],
  ];

  it.each(bad)('are refused with %s, and nothing is written', async (_name, fault, code) => {
    const tenantId = await world.addTenant();
    const input = { code: 'APP_A', name: 'App', ...fault };
    expect(await refusalOf(world.lines.create(tenantId, input))).toBe(code);
    expect(await world.lines.list(tenantId)).toEqual([]);
  });

  it('S4.1 are the own of each tenant', async () => {
    const [one, other] = [await world.addTenant(), await world.addTenant()];
    await world.lines.create(one, { code: 'APP_A', name: 'One', hourLimit: 100 });
    await world.lines.create(other, { code: 'APP_A', name: 'Other' });
    expect(await world.lines.find(one, 'APP_A')).toMatchObject({
      name: 'One',
      hourLimit: 100,
      dayLimit: null,
    });
    expect(await world.lines.find(other, 'APP_A')).toMatchObject({ name: 'Other', hourLimit: null });
    expect(await refusalOf(world.lines.create(one, { code: 'APP_A', name: 'Again' }))).toBe(
      'PRODUCT_LINE_EXISTS',
    );
    expect(await world.lines.list(one)).toHaveLength(1);
  });

  it('are found as soon as they are made, and read once a second and after a change', async () => {
    const tenantId = await world.addTenant();
    expect(await world.lines.find(tenantId, 'APP_A')).toBeNull();
    await world.lines.create(tenantId, { code: 'APP_A', name: 'App' });
    const found = await Promise.all(
      Array.from({ length: 20 }, async () => world.lines.find(tenantId, 'APP_A')),
    );
    expect(new Set(found).size).toBe(1);
    await world.em(tenantId).nativeUpdate(ProductLine, { code: 'APP_A' }, { hourLimit: 5 });
    expect(await world.lines.find(tenantId, 'APP_A')).toMatchObject({ hourLimit: null });
    world.lines.invalidate(tenantId);
    expect(await world.lines.find(tenantId, 'APP_A')).toMatchObject({ hourLimit: 5 });
  });
});

describe('users', () => {
  const usersOf = () => {
    const tokens = new TokenService(['a secret of at least 32 characters'], world.clock);
    return { tokens, users: new UserService(world.orm, world.ids, world.clock, tokens, world.transactions) };
  };
  const factsOf = async (tenantId: string, userId: string) =>
    (await usersOf().users.factsOf(world.em(tenantId), tenantId, [userId])).get(userId);

  it('are one row, however many calls sign one in for the first time', async () => {
    const tenantId = await world.addTenant();
    const { users } = usersOf();
    const input = { externalUserId: 'u-1', tags: ['b', 'a', 'b'] };
    const issued = await Promise.all(
      Array.from({ length: 10 }, async () => users.createUserToken(tenantId, input)),
    );
    expect(new Set(issued.map((token) => token.userId)).size).toBe(1);
    const rows = await world.em(tenantId).find(User, {});
    expect(rows).toHaveLength(1);
    expect(await factsOf(tenantId, rows[0]?.id ?? '')).toMatchObject({
      status: 'ACTIVE',
      tags: ['a', 'b'],
    });
  });

  it('S4.1 are found in their own tenant only', async () => {
    const [one, other] = [await world.addTenant(), await world.addTenant()];
    const { users } = usersOf();
    const mine = await users.ensureUser(one, 'same');
    expect((await users.ensureUser(other, 'same')).id).not.toBe(mine.id);
    expect(await factsOf(other, mine.id)).toBeUndefined();
  });

  it('get a token that says who they are, for as long as asked', async () => {
    const tenantId = await world.addTenant();
    const { tokens, users } = usersOf();
    const { token, userId, expiresAt } = await users.createUserToken(tenantId, {
      externalUserId: 'u-1',
      ttlS: 60,
    });
    expect(tokens.verify(token)).toEqual({ kind: 'USER', tenantId, userId });
    expect(Math.abs(expiresAt.getTime() - world.clock.nowMs() - 60_000)).toBeLessThan(5000);
  });

  it('keep their tags where none are given, and lose them where an empty list is', async () => {
    const tenantId = await world.addTenant();
    const { users } = usersOf();
    const sign = async (tags?: string[]) =>
      users.createUserToken(tenantId, { externalUserId: 'u-1', ...(tags && { tags }) });
    const { userId } = await sign(['invited_user']);
    await sign();
    expect((await factsOf(tenantId, userId))?.tags).toEqual(['invited_user']);
    await sign([]);
    expect((await factsOf(tenantId, userId))?.tags).toEqual([]);
  });

  it('get none while they are switched off, and their tags stay', async () => {
    const tenantId = await world.addTenant();
    const { users } = usersOf();
    const user = await users.ensureUser(tenantId, 'u-1', ['a']);
    await world.em(tenantId).nativeUpdate(User, { id: user.id }, { status: 'DISABLED' });
    const input = { externalUserId: 'u-1', tags: ['b'] };
    expect(await refusalOf(users.createUserToken(tenantId, input))).toBe('USER_DISABLED');
    expect(await factsOf(tenantId, user.id)).toMatchObject({ status: 'DISABLED', tags: ['a'] });
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ['no id', { externalUserId: '' }, 'EXTERNAL_USER_ID_NOT_ALLOWED'],
    ['a long id', { externalUserId: 'u'.repeat(65) }, 'EXTERNAL_USER_ID_NOT_ALLOWED'],
    ['an id with a space', { externalUserId: 'u 1' }, 'EXTERNAL_USER_ID_NOT_ALLOWED'],
    ['an id that is an operator', { externalUserId: { $ne: null } }, 'EXTERNAL_USER_ID_NOT_ALLOWED'],
    ['an empty tag', { tags: [''] }, 'TAGS_NOT_ALLOWED'],
    ['too many tags', { tags: Array.from({ length: 65 }, (_, index) => `t${index}`) }, 'TAGS_NOT_ALLOWED'],
    ['a token without end', { ttlS: 901 }, 'TTL_OUT_OF_RANGE'],
    ['a token that is over', { ttlS: 0 }, 'TTL_OUT_OF_RANGE'],
  ];

  it.each(bad)('are refused with %s, and nothing is written', async (_name, fault, code) => {
    const tenantId = await world.addTenant();
    const input = { externalUserId: 'u-1', ...fault };
    expect(await refusalOf(usersOf().users.createUserToken(tenantId, input))).toBe(code);
    expect(await world.em(tenantId).count(User, {})).toBe(0);
  });
});

it('a query without a tenant is no query', async () => {
  const em = systemEm(world.orm);
  await expect(em.find(ProductLine, {})).rejects.toThrow();
  expect(await em.count(Tenant, { id: 'T_NOBODY' }, ACROSS_TENANTS)).toBe(0);
});
