import { setTimeout as pause } from 'node:timers/promises';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { connectRedis, connectRedisListener, type Redis } from '../../src/platform/redis/redis.js';
import { RedisScript } from '../../src/platform/redis/script.js';
import { JobQueue } from '../../src/platform/queue/job-queue.js';
import { createLog } from '../../src/platform/observability/log.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import { isCommit } from '../faults/sql-statements.js';
import { TcpProxy } from '../faults/tcp-proxy.js';
import type { Verdict, Watch, WireEvent } from '../faults/wire-events.js';

let watch: Watch | null;
let proxies: TcpProxy[];
beforeEach(() => {
  watch = null;
  proxies = [];
});
afterEach(async () => {
  await Promise.all(proxies.map(async (proxy) => proxy.close()));
});

async function proxyFor(to: 'redis' | 'database', url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const target = Number(new URL(url).port);
  const proxy = await TcpProxy.open({
    link: { process: 'api1', to },
    target: () => target,
    watch: () => watch,
  });
  proxies.push(proxy);
  const address = new URL(url);
  address.port = String(proxy.port);
  return { proxy, url: address.href };
}

/** Watches for one message, holds it, and judges it when told to. */
function holdOnce(test: (event: WireEvent) => boolean) {
  const reached = Promise.withResolvers<WireEvent>();
  const judged = Promise.withResolvers<Verdict>();
  let isHeld = false;
  const others: WireEvent[] = [];
  watch = (event) => {
    if (isHeld || !test(event)) {
      others.push(event);
      return 'PASS';
    }
    isHeld = true;
    reached.resolve(event);
    return judged.promise;
  };
  return { reached: reached.promise, letGo: (verdict: Verdict) => judged.resolve(verdict), others };
}

const isPending = async (work: Promise<unknown>): Promise<boolean> =>
  (await Promise.race([work.catch(() => 'failed'), pause(150, 'pending')])) === 'pending';

describe('a proxy before the database', () => {
  let scratch: ScratchDatabase;
  let direct: Connection;
  let through: Connection;
  let proxy: TcpProxy;
  beforeEach(async () => {
    scratch = await createEmptyDatabase(inject('databaseUrl'));
    const opened = await proxyFor('database', scratch.databaseUrl);
    proxy = opened.proxy;
    direct = await connect(scratch.databaseUrl);
    through = await connect(opened.url);
    await direct.query('create table kept (id int primary key)');
  });
  afterEach(async () => {
    through.destroy();
    direct.destroy();
    await scratch.drop();
  });

  async function connect(url: string): Promise<Connection> {
    const made = await createConnection({
      uri: url.replace(/^mariadb:/, 'mysql:'),
      multipleStatements: true,
    });
    // A cut connection ends with an error here too.
    made.on('error', () => undefined);
    return made;
  }

  async function kept(): Promise<number[]> {
    const [rows] = await direct.query<RowDataPacket[]>('select id from kept order by id');
    return rows.map((row) => row['id'] as number);
  }

  const commits = (side: WireEvent['side']) => (event: WireEvent) =>
    event.kind === 'MYSQL' && event.side === side && event.statements.some(isCommit);

  it('holds a COMMIT and nothing else, and lets it go', async () => {
    const hold = holdOnce(commits('REQUEST'));
    await through.query('begin; insert into kept values (1)');
    const committing = through.query('commit');
    const event = await hold.reached;
    expect(event).toMatchObject({ transaction: ['begin', 'insert into kept values (1)', 'commit'] });
    expect(await isPending(committing)).toBe(true);
    expect(await kept()).toEqual([]);
    hold.letGo('PASS');
    await committing;
    expect(await kept()).toEqual([1]);
  });

  it('finds a COMMIT in the middle of a message', async () => {
    const hold = holdOnce(commits('REQUEST'));
    const all = through.query("begin; insert into kept values (1); commit; select 'after; it'");
    await hold.reached;
    expect(await kept()).toEqual([]);
    hold.letGo('PASS');
    await all;
    expect(await kept()).toEqual([1]);
  });

  it('does not take a text for a COMMIT', async () => {
    const hold = holdOnce(commits('REQUEST'));
    const [rows] = await through.query<RowDataPacket[]>("select 'a; commit' as text; -- ; commit\n");
    expect(JSON.stringify(rows)).toContain('a; commit');
    expect(hold.others).toHaveLength(2);
  });

  it('swallows the reply to a COMMIT that was applied', async () => {
    const hold = holdOnce(commits('REPLY'));
    await through.query('begin');
    await through.query('insert into kept values (1)');
    const committing = through.query('commit');
    await hold.reached;
    expect(await kept()).toEqual([1]);
    hold.letGo('RESET');
    await expect(committing).rejects.toThrow();
  });

  it('drops a COMMIT, which then never was', async () => {
    const hold = holdOnce(commits('REQUEST'));
    await through.query('begin; insert into kept values (1)');
    const committing = through.query('commit');
    await hold.reached;
    hold.letGo('RESET');
    await expect(committing).rejects.toThrow();
    expect(await kept()).toEqual([]);
  });

  it.each(['REQUEST', 'REPLY'] as const)(
    'answers a deadlock for a %s and has the server roll back; the connection stays usable',
    async (side) => {
      const inserts = (event: WireEvent): boolean =>
        event.kind === 'MYSQL' && event.side === side && event.statements.some((sql) => sql.includes('(2)'));
      const hold = holdOnce(inserts);
      await through.query('begin; insert into kept values (1)');
      const inserting = through.query('insert into kept values (2)');
      await hold.reached;
      hold.letGo({ errno: 1213, state: '40001', message: 'Deadlock found' });
      await expect(inserting).rejects.toMatchObject({ errno: 1213, sqlState: '40001' });
      await through.query('insert into kept values (3)');
      await through.query('commit');
      expect(await kept()).toEqual([3]);
    },
  );

  it('carries rows and results as they are', async () => {
    const text = 'x'.repeat(300_000);
    const [rows] = await through.query<RowDataPacket[]>(
      `select '${text}' as a; select 1 as b union select 2; begin; rollback`,
    );
    expect(rows[0]).toEqual([{ a: text }]);
    expect(rows[1]).toEqual([{ b: 1 }, { b: 2 }]);
    const [prepared] = await through.execute<RowDataPacket[]>('select ? as c, ? as d', ['e', 5]);
    expect(prepared[0]).toMatchObject({ c: 'e' });
  });

  it('lets nothing pass while it is silent, and delivers it afterwards', async () => {
    proxy.cut('SILENT');
    const inserting = through.query('insert into kept values (1)');
    expect(await isPending(inserting)).toBe(true);
    expect(await kept()).toEqual([]);
    proxy.mend();
    await inserting;
    expect(await kept()).toEqual([1]);
  });
});

describe('a proxy before Redis', () => {
  let redis: Redis;
  let proxy: TcpProxy;
  let url: string;
  const key = (): string => `{faults}:${Math.floor(performance.now() * 1000)}`;
  beforeEach(async () => {
    ({ proxy, url } = await proxyFor('redis', inject('redisUrl')));
    redis = connectRedis(url, 2000);
  });
  afterEach(() => redis.disconnect());

  const forget = (side: WireEvent['side']) => (event: WireEvent) =>
    event.kind === 'REDIS' && event.script === 'forget-marker' && event.side === side;

  it('knows a script by its file, before and after Redis does', async () => {
    const marker = key();
    const hold = holdOnce(() => false);
    await redis.set(marker, 'x');
    const script = new RedisScript(redis, 'forget-marker');
    await script.run([marker], ['y']);
    await script.run([marker], ['x']);
    const runs = hold.others.filter((event) => event.kind === 'REDIS' && event.script === 'forget-marker');
    expect(runs.length).toBeGreaterThanOrEqual(4);
    expect(runs.every((event) => event.kind === 'REDIS' && event.keys[0] === marker)).toBe(true);
    expect(await redis.exists(marker)).toBe(0);
  });

  it('holds one script, and replies still come in order', async () => {
    const marker = key();
    await redis.set(marker, 'x');
    const script = new RedisScript(redis, 'forget-marker');
    await script.run([marker], ['y']);
    const hold = holdOnce(forget('REQUEST'));
    const running = script.run([marker], ['x']);
    await hold.reached;
    const later = redis.echo('later');
    hold.letGo('PASS');
    await running;
    expect(await later).toBe('later');
    expect(await redis.exists(marker)).toBe(0);
  });

  it('swallows the reply to a script that was applied', async () => {
    const marker = key();
    await redis.set(marker, 'x');
    const script = new RedisScript(redis, 'forget-marker');
    await script.run([marker], ['y']);
    const looking = connectRedis(inject('redisUrl'), 2000);
    const hold = holdOnce(forget('REPLY'));
    const running = script.run([marker], ['x']);
    await hold.reached;
    expect(await looking.exists(marker)).toBe(0);
    hold.letGo('RESET');
    // The client sends it again on its next connection, which is why scripts are safe to repeat.
    await running;
    looking.disconnect();
    expect(hold.others.filter(forget('REQUEST')).length).toBeGreaterThanOrEqual(2);
  });

  it('carries subscriptions, pushes and jobs', async () => {
    const channel = key();
    const listener = connectRedisListener(url);
    const heard = Promise.withResolvers<string>();
    listener.on('message', (_channel: string, text: string) => heard.resolve(text));
    await listener.subscribe(channel);
    await redis.publish(channel, 'hello');
    expect(await heard.promise).toBe('hello');
    listener.disconnect();

    const name = `faults-${Math.floor(performance.now())}`;
    const queue = new JobQueue<{ n: number }>({
      redisUrl: url,
      name,
      log: createLog({ level: 'silent' }),
      commandTimeoutMs: 2000,
    });
    const done = Promise.withResolvers<number>();
    queue.start(async ({ n }) => done.resolve(n));
    await queue.add('job-1', { n: 7 });
    expect(await done.promise).toBe(7);
    await queue.close();
  });

  it('breaks what is open and refuses what is new while it is cut', async () => {
    await redis.ping();
    proxy.cut('RESET');
    await expect(redis.ping()).rejects.toThrow();
    proxy.mend();
    await expect.poll(async () => redis.ping().catch(() => 'no')).toBe('PONG');
  });
});
