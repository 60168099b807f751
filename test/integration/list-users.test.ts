import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { User } from '../../src/identity/users/user.entity.js';
import { userWays, type UserFilter } from '../../src/identity/users/user-list.js';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const LIST = `query ($filter: UserFilterInput, $size: Int, $after: ID, $sort: SortOrder) {
  users(filter: $filter, size: $size, after: $after, sort: $sort) { total next items { externalId } } }`;

interface Listed {
  readonly total: number;
  readonly next: string | null;
  readonly items: readonly { readonly externalId: string }[];
}

async function openDirectory(users: Readonly<Record<string, readonly string[]>>) {
  const { tenantId } = await seedTenant(world);
  for (const [externalUserId, tags] of Object.entries(users))
    await world.services.users.createUserToken(tenantId, { externalUserId, tags });
  const ask = async (variables: Record<string, unknown>): Promise<Listed> => {
    const { data, errors } = await api.ask(staffOf(tenantId, 'AUDITOR'), LIST, variables);
    expect(errors).toEqual([]);
    return data['users'] as unknown as Listed;
  };
  const found = async (filter: Record<string, unknown>, sort?: string) => {
    const { total, items } = await ask({ filter, sort });
    expect([filter, total]).toEqual([filter, items.length]);
    expect((await ask({ filter, size: 1 })).total).toBe(total);
    return items.map(({ externalId }) => externalId);
  };
  const walk = async (variables: Record<string, unknown>) => {
    const seen: string[] = [];
    for (let after: string | null = null, isEnd = false; !isEnd;) {
      const page: Listed = await ask({ size: 2, after, ...variables });
      seen.push(...page.items.map(({ externalId }) => externalId));
      after = page.next;
      isEnd = after === null;
    }
    return seen;
  };
  return { tenantId, found, walk };
}

/** The tags of users by the table that leads to them, and by their own rows. */
async function tagsOf(tenantId: string) {
  const em = emOf(world, tenantId);
  const leads = await em.execute<{ tag: string; userId: string }[]>(
    'select tag, cast(user_id as char) as userId from user_tag where tenant_id = ? order by user_id, tag',
    [tenantId],
  );
  const users = await em.find(User, {}, { orderBy: { id: 'asc' }, disableIdentityMap: true });
  return {
    leads: leads.map(({ tag, userId }) => `${userId} ${tag}`),
    own: users.flatMap(({ id, tags }) => tags.map((tag) => `${id} ${tag}`)),
  };
}

describe('S0.18 users are listed', () => {
  const USERS = { 'cust-2': ['vip'], 'cust-1': ['vip', 'new'], cust_9: [], 'Cust-5': [], 'shop%1': ['new'] };

  it('by the beginning of their ids, in the order of these, whatever wildcards they hold', async () => {
    const { found, walk } = await openDirectory(USERS);
    expect(await found({ externalIdPrefix: 'cust' })).toEqual(['cust-1', 'cust-2', 'cust_9']);
    expect(await found({ externalIdPrefix: 'cust-' })).toEqual(['cust-1', 'cust-2']);
    expect(await found({ externalIdPrefix: 'cust_' })).toEqual(['cust_9']);
    expect(await found({ externalIdPrefix: 'shop%' })).toEqual(['shop%1']);
    expect(await found({ externalIdPrefix: '%' })).toEqual([]);
    expect(await found({ externalIdPrefix: 'cust', tags: ['vip'] }, 'OLDEST_FIRST')).toEqual([
      'cust-1',
      'cust-2',
    ]);
    expect(await walk({ filter: { externalIdPrefix: 'cust' } })).toEqual(['cust-1', 'cust-2', 'cust_9']);
    expect(await found({ externalUserId: 'cust-1' })).toEqual(['cust-1']);
    expect(await found({ externalUserId: 'cust-1', externalIdPrefix: 'shop' })).toEqual([]);
  });

  it('by tags and by status, in both directions', async () => {
    const { tenantId, found, walk } = await openDirectory(USERS);
    await world.services.userChanges.update(tenantId, { externalUserId: 'cust-2', status: 'DISABLED' });
    expect(await found({ tags: ['vip'] })).toEqual(['cust-1', 'cust-2']);
    expect(await found({ tags: ['vip'] }, 'OLDEST_FIRST')).toEqual(['cust-2', 'cust-1']);
    expect(await found({ tags: ['new', 'vip'] })).toEqual(['cust-1']);
    expect(await found({ tags: ['vip'], status: 'DISABLED' })).toEqual(['cust-2']);
    expect(await found({ tags: ['VIP'] })).toEqual([]);
    expect(await found({ tags: ['none'] })).toEqual([]);
    expect(await found({ tags: Array.from({ length: 65 }, (_, at) => `${at}`) })).toEqual([]);
    expect(await found({ status: 'DISABLED' })).toEqual(['cust-2']);
    const { users } = world.services;
    const [one, two] = [
      await users.find(tenantId, { externalId: 'cust-1' }),
      await users.find(tenantId, { externalId: 'cust_9' }),
    ];
    expect(await found({ ids: [one?.id, two?.id, '7'] })).toEqual(['cust_9', 'cust-1']);
    expect(await found({ ids: [one?.id], tags: ['none'] })).toEqual([]);
    expect(await found({ ids: ['x', one?.id] })).toEqual(['cust-1']);
    expect(await found({ ids: ['x'] })).toEqual([]);
    expect(await found({ ids: [] })).toEqual([]);
    const filter = { ids: Array.from({ length: 501 }, () => one?.id) };
    expect((await api.ask(staffOf(tenantId), LIST, { filter })).errors).toEqual(['BAD_USER_INPUT']);
    expect(await walk({ filter: { status: 'ACTIVE' } })).toEqual(['shop%1', 'Cust-5', 'cust_9', 'cust-1']);
    expect(await walk({ sort: 'OLDEST_FIRST' })).toEqual(Object.keys(USERS));
  });

  it('by tags as they are after any number of changes at once', async () => {
    const { tenantId, found } = await openDirectory({ racer: ['a'], other: ['b'] });
    const { users, userChanges } = world.services;
    await Promise.all(
      Array.from({ length: 24 }, async (_, at) => {
        const tags = [`t${at % 5}`, `t${(at + 1) % 5}`];
        if (at % 2 === 0) await users.createUserToken(tenantId, { externalUserId: 'racer', tags });
        else await userChanges.update(tenantId, { externalUserId: 'racer', tags });
        await users.createUserToken(tenantId, { externalUserId: `new-${at % 6}`, tags });
      }),
    );
    const { leads, own } = await tagsOf(tenantId);
    expect(leads).toEqual(own);
    await userChanges.update(tenantId, { externalUserId: 'racer', tags: ['z'] });
    expect(await found({ tags: ['z'] })).toEqual(['racer']);
    expect(await found({ tags: ['a'] })).toEqual([]);
    await userChanges.update(tenantId, { externalUserId: 'racer', tags: [] });
    expect(await found({ tags: ['z'] })).toEqual([]);
  });

  it('by indexes that have them in the order of the list', async () => {
    const { tenantId } = await openDirectory(USERS);
    const filters: UserFilter[] = [
      {},
      { tags: ['vip'] },
      { status: 'DISABLED' },
      { externalIdPrefix: 'cust' },
      { externalIdPrefix: 'cust', status: 'ACTIVE', tags: ['vip'] },
    ];
    for (const filter of filters)
      for (const { from, sql, params, id, by } of userWays(tenantId, filter)) {
        const statement = `explain format=traditional select ${id} from ${from} where ${sql} order by ${by?.column ?? id} limit 9`;
        const plan = await emOf(world, tenantId).execute<{ Extra: string | null }[]>(statement, [...params]);
        for (const { Extra } of plan)
          expect([filter, Extra ?? '']).toEqual([filter, expect.not.stringContaining('filesort')]);
      }
  });
});

describe('a database of the version before', () => {
  const NAME = 'Migration20261130040201_find_users_by_tag_and_status';
  let database: ScratchDatabase;
  beforeEach(async () => {
    database = await createEmptyDatabase(inject('databaseUrl'));
  });
  afterEach(async () => database.drop());

  it('gets what leads from tags to users, once, and loses it again', async () => {
    const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
    const em = systemEm(orm);
    try {
      const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name ?? '';
      await orm.migrator.up({ to: before });
      await em.execute(
        `insert into user (tenant_id, id, external_id, status, tags, version, created_at) values
          ('T', 1, 'a', 'ACTIVE', '["vip","Ünïcode \\\\"x\\\\""]', 1, now(3)), ('T', 2, 'b', 'ACTIVE', '[]', 1, now(3)),
          ('U', 3, 'c', 'DISABLED', '["vip"]', 1, now(3))`,
      );
      const leads = async () =>
        em.execute(
          'select tenant_id as tenantId, tag, cast(user_id as char) as userId from user_tag order by 1, 2',
        );
      const expected = [
        { tenantId: 'T', tag: 'vip', userId: '1' },
        { tenantId: 'T', tag: 'Ünïcode "x"', userId: '1' },
        { tenantId: 'U', tag: 'vip', userId: '3' },
      ];
      for (let run = 0; run < 2; run += 1) {
        await orm.migrator.up({ to: NAME });
        expect(await leads()).toEqual(expected);
        await orm.migrator.down({ to: before });
        await expect(leads()).rejects.toThrow('user_tag');
      }
    } finally {
      await orm.close(true);
    }
  });
});
