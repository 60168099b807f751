import { rmSync } from 'node:fs';
import path from 'node:path';
import { migrateUp } from '../../src/migrations/migrate.js';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import { startPrivateRedis } from '../../src/platform/local-servers/private-redis.js';
import { newDataFolder } from '../support/data-folder.js';
import { databaseTemplateOf, placeDatabase } from '../support/test-servers.js';
import type { World } from '../support/world.js';
import { CLOCK_MODULE } from './clock-shift.js';
import type { ProcessName, StageParts } from './stage-parts.js';
import { NamedProcess } from './stage-process.js';
import { NamedStore } from './stage-store.js';
import { StageWorld } from './stage-world.js';
import { TcpProxy } from './tcp-proxy.js';
import type { LinkName, Watch } from './wire-events.js';

const PREFIX = 'redeemkit-faults-';
const quiet = (): void => undefined;

/** Everything that is waited for is short, so that a cell is; the order between the times is that of the defaults. */
const IMPATIENT = {
  STORE_TIMEOUT_MS: '1500',
  REPLY_WITHIN_MS: '1200',
  CLAIM_DEADLINE_MS: '2500',
  SWEEP_EVERY_MS: '300',
  PENDING_BACKOFF_MS: '200',
  PENDING_BACKOFF_MAX_MS: '500',
};
/** A client that gets no answer asks again without a key, which is another attempt of its user. */
const WHOLE_SHARES = { RATE_LIMIT_CALLER_SHARE_PERCENT: '100' };
/** The finest log level, so that a secret in a debug line is found too. */
const TALKATIVE = { LOG_LEVEL: 'trace' };

/** The environment of a process under test. */
export const IMPATIENT_PROCESS = {
  ...IMPATIENT,
  ...WHOLE_SHARES,
  ...TALKATIVE,
  NODE_OPTIONS: `--import ${CLOCK_MODULE}`,
};

const PROCESSES: readonly ProcessName[] = ['api1', 'api2', 'worker', 'worker2'];
type Proxies = Readonly<Record<LinkName['to'], TcpProxy>>;

export interface StageSettings {
  /** The build that the processes run; the current one by default. */
  readonly entry?: string;
}

/** Servers, processes and proxies, opened once for all cells. */
export class Stage implements StageParts {
  readonly processes: Readonly<Record<ProcessName, NamedProcess>>;
  readonly stores: Readonly<Record<'redis' | 'database', NamedStore>>;
  readonly urls: readonly [string, string];
  /** Asked about every message on every link. */
  watch: Watch | null = null;
  private readonly proxies: ReadonlyMap<ProcessName, Proxies>;
  private readonly ownWorld: StageWorld;
  private readonly closers: (() => Promise<void>)[];
  private closing: Promise<void> | null = null;

  private constructor(built: Built, closers: (() => Promise<void>)[]) {
    this.stores = built.stores;
    this.processes = built.processes;
    this.proxies = built.proxies;
    this.closers = closers;
    const addressOf = (name: ProcessName): string => `http://127.0.0.1:${this.link(name, 'clients').port}`;
    this.urls = [addressOf('api1'), addressOf('api2')];
    this.ownWorld = new StageWorld(built.stores);
    closers.push(async () => this.ownWorld.close());
    // What is connected to a server that is gone cannot be closed any more.
    built.stores.database.beforeKill = async () => this.ownWorld.close();
  }

  static async open(settings: StageSettings = {}): Promise<Stage> {
    const dataDir = newDataFolder(PREFIX);
    const closers: Stage['closers'] = [async () => rmSync(dataDir, { recursive: true, force: true })];
    try {
      placeDatabase(await databaseTemplateOf(dataDir), dataDir);
      const stores = await openStores(dataDir, closers);
      await migrateUp(stores.database.url);
      let stage: Stage | null = null;
      const built = await build(stores, settings, () => stage?.watch ?? null, closers);
      stage = new Stage(built, closers);
      const { api1, api2, worker } = stage.processes;
      await Promise.all([api1.start(), api2.start(), worker.start()]);
      return stage;
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  link(process: ProcessName, to: LinkName['to']): TcpProxy {
    const proxy = this.proxies.get(process)?.[to];
    if (proxy === undefined) throw new Error(`There is no ${process}.`);
    return proxy;
  }

  async world(): Promise<World> {
    return this.ownWorld.open();
  }

  /** Whatever a cell has left broken. A further worker, where there is one, stays. */
  async mend(): Promise<void> {
    if (this.isClosing) return;
    for (const { name } of Object.values(this.processes))
      for (const to of ['redis', 'database', 'clients'] as const) this.link(name, to).mend();
    const { redis, database } = this.stores;
    await Promise.all([redis.start(), database.start()]);
    const { api1, api2, worker } = this.processes;
    for (const each of [redis, database, api1, api2, worker]) if (each.isRunning) each.signal('SIGCONT');
    await Promise.all([api1.start(), api2.start(), worker.start()]);
  }

  /** Closes once; all callers wait for the same close. */
  async close(): Promise<void> {
    this.watch = null;
    this.closing ??= closeAll(this.closers);
    await this.closing;
  }

  get isClosing(): boolean {
    return this.closing !== null;
  }
}

type Closers = (() => Promise<void>)[];

async function closeAll(closers: Closers): Promise<void> {
  for (const close of closers.splice(0).toReversed()) await close().catch(() => undefined);
}

async function openStores(dataDir: string, closers: Closers): Promise<Built['stores']> {
  const options = { dataDir, log: quiet, supervise: false, durable: true };
  const redis = await NamedStore.open('redis', path.join(dataDir, 'redis'), async () =>
    startPrivateRedis(options),
  );
  closers.push(async () => redis.retire());
  const database = await NamedStore.open('database', path.join(dataDir, 'mariadb'), async () =>
    startPrivateMariadb({ ...options, extraArgs: ['--innodb-buffer-pool-size=64M'] }),
  );
  closers.push(async () => database.retire());
  return { redis, database };
}

interface Built {
  readonly stores: Readonly<Record<'redis' | 'database', NamedStore>>;
  readonly processes: Readonly<Record<ProcessName, NamedProcess>>;
  readonly proxies: ReadonlyMap<ProcessName, Proxies>;
}

async function build(
  stores: Built['stores'],
  settings: StageSettings,
  watch: () => Watch | null,
  closers: Closers,
): Promise<Built> {
  const processes: Partial<Record<ProcessName, NamedProcess>> = {};
  const proxies = new Map<ProcessName, Proxies>();
  for (const name of PROCESSES) {
    const target = (to: LinkName['to']) => () =>
      to === 'clients' ? (processes[name]?.port ?? null) : stores[to].port;
    const open = async (to: LinkName['to']): Promise<TcpProxy> => {
      const proxy = await TcpProxy.open({ link: { process: name, to }, target: target(to), watch });
      closers.push(async () => proxy.close());
      return proxy;
    };
    const own = {
      redis: await open('redis'),
      database: await open('database'),
      clients: await open('clients'),
    };
    proxies.set(name, own);
    const started = new NamedProcess(name, {
      ...settings,
      role: name.startsWith('api') ? 'api' : 'worker',
      databaseUrl: through(own.database, stores.database.url),
      redisUrl: through(own.redis, stores.redis.url),
      environment: IMPATIENT_PROCESS,
    });
    processes[name] = started;
    closers.push(async () => started.retire());
  }
  return { stores, processes: processes as Built['processes'], proxies };
}

function through(proxy: TcpProxy, url: string): string {
  const address = new URL(url);
  address.port = String(proxy.port);
  return address.href;
}
