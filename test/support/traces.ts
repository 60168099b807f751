import { systemEm } from '../../src/platform/database/orm.js';
import type { Redis } from '../../src/platform/redis/redis.js';
import type { World } from './world.js';

/** Which of some texts are anywhere in what both stores hold of a tenant; of each, the tables and keys. */
export async function tracesOf(
  world: World,
  tenantId: string,
  marks: readonly string[],
): Promise<Record<string, string[]>> {
  const places = new Map(marks.map((mark) => [mark, new Set<string>()]));
  const look = (place: string, text: string): void => {
    for (const [mark, found] of places) if (text.includes(mark)) found.add(place);
  };
  for (const [table, rows] of await tableTexts(world, tenantId)) look(table, rows);
  for (const [key, value] of await redisTexts(world.stores.redis, tenantId))
    look(`redis ${key}`, `${key} ${value}`);
  return Object.fromEntries([...places].map(([mark, found]) => [mark, [...found].toSorted()]));
}

/** The rows of every table: of one with tenants those of this tenant, of the others all. */
async function tableTexts(world: World, tenantId: string): Promise<[string, string][]> {
  const em = systemEm(world.stores.orm);
  const tables = await em.execute<{ name: string; tenants: number }[]>(
    `select t.table_name as name, count(c.column_name) as tenants from information_schema.tables t
      left join information_schema.columns c on c.table_schema = t.table_schema and c.table_name = t.table_name
        and c.column_name = 'tenant_id'
      where t.table_schema = database() group by t.table_name`,
  );
  const texts: [string, string][] = [];
  for (const { name, tenants } of tables) {
    const where = tenants > 0 ? ' where tenant_id = ?' : '';
    const rows = await em.execute<object[]>(
      `select * from \`${name}\`${where}`,
      where === '' ? [] : [tenantId],
    );
    texts.push([name, JSON.stringify(rows)]);
  }
  return texts;
}

async function redisTexts(redis: Redis, tenantId: string): Promise<[string, string][]> {
  const texts: [string, string][] = [];
  for (let cursor = ''; cursor !== '0';) {
    const [next, keys] = await redis.scan(
      cursor === '' ? '0' : cursor,
      'MATCH',
      `*${tenantId}*`,
      'COUNT',
      1000,
    );
    for (const key of keys) texts.push([key, await valueOf(redis, key)]);
    cursor = next;
  }
  return texts;
}

async function valueOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'string') return (await redis.get(key)) ?? '';
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, 0, '-1'));
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1));
  if (type === 'set') return JSON.stringify(await redis.smembers(key));
  return '';
}
