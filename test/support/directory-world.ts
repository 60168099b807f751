import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { connectRedis, type Redis } from '../../src/platform/redis/redis.js';
import { systemEm } from '../../src/platform/database/orm.js';
import type { Worker } from '../../src/platform/scheduling/job.js';
import type { DirectoryTenant } from '../../src/tenancy/directory/tenant-directory.js';
import { DIRECTORY_TOKEN, DirectoryServer } from './directory-server.js';
import { createScratchDatabase } from './scratch-database.js';
import { emOf, openWorld, seedTenant, type SeededTenant, type World } from './world.js';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { Tenant, type TenantType } from '../../src/tenancy/tenant.entity.js';

const GROUP = 'redeemkit';

/** Two processes whose tenants belong to a directory, and its stream. Their database is theirs alone: a resync asks for all tenants. */
export interface DirectoryWorld {
  readonly directory: DirectoryServer;
  readonly worlds: readonly [World, World];
  readonly redis: Redis;
  readonly stream: string;
  /** What another process needs to be set up as these. */
  readonly environment: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  /** A tenant that the directory knows, too. */
  addTenant(type?: TenantType): Promise<SeededTenant>;
  /** As the directory sends an event. @returns its place in the stream */
  publish(event: unknown): Promise<string>;
  /** How many entries no worker has acknowledged. */
  unacknowledged(): Promise<number>;
  /** Statements that change a tenant, and are not done. */
  waitingForLocks(): Promise<number>;
  close(): Promise<void>;
}

/** @param graceS of the first process and of the second */
export async function openDirectoryWorld(graceS = [0, 900] as const): Promise<DirectoryWorld> {
  const directory = await DirectoryServer.start();
  const { databaseUrl, drop } = await createScratchDatabase();
  const stream = `{directory}:${randomBytes(6).toString('hex')}`;
  const environment = {
    DIRECTORY_URL: directory.url,
    DIRECTORY_TOKEN,
    DIRECTORY_STREAM: stream,
    DIRECTORY_BUDGET_MS: '1500',
    DIRECTORY_BREAK_MS: '50',
    DIRECTORY_REDELIVER_MS: '100',
    DIRECTORY_EVENT_ATTEMPTS: '3',
  };
  const open = async (seconds: number): Promise<World> =>
    openWorld({ ...environment, DIRECTORY_GRACE_S: `${seconds}` }, { databaseUrl });
  const worlds = [await open(graceS[0]), await open(graceS[1])] as const;
  const redis = connectRedis(inject('redisUrl'), 5000);
  const addTenant = async (type: TenantType = 'CHANNEL'): Promise<SeededTenant> => {
    const tenant = await seedTenant(worlds[0]);
    const { tenantId } = tenant;
    await emOf(worlds[0], tenantId).nativeUpdate(Tenant, { id: tenantId }, { type });
    directory.set(tenantId, { type });
    return tenant;
  };
  const unacknowledged = async (): Promise<number> => {
    const groups = ((await redis.xinfo('GROUPS', stream)) as unknown[][]).map((fields) => ({
      name: fields[1],
      waiting: Number(fields[5]) + Number(fields[11] ?? 0),
    }));
    return groups.find(({ name }) => name === GROUP)?.waiting ?? -1;
  };
  const waitingForLocks = async (): Promise<number> => {
    const [row] = await systemEm(worlds[0].stores.orm).execute<[{ n: number }]>(
      `select count(*) as n from information_schema.processlist
        where db = database() and command <> 'Sleep' and info like 'update \`tenant\`%'`,
    );
    return row.n;
  };
  const close = async (): Promise<void> => {
    await Promise.all(worlds.map(async (world) => world.close()));
    await redis.del(stream);
    redis.disconnect();
    await directory.close();
    await drop();
  };
  const publish = async (event: unknown): Promise<string> => {
    const text = typeof event === 'string' ? event : JSON.stringify(event);
    return String(await redis.xadd(stream, '*', 'event', text));
  };
  return {
    directory,
    worlds,
    redis,
    stream,
    environment,
    databaseUrl,
    addTenant,
    publish,
    unacknowledged,
    waitingForLocks,
    close,
  };
}

export const eventOf = (tenant: DirectoryTenant, id = randomBytes(8).toString('hex')) => ({
  id,
  type: 'tenant_updated',
  tenant,
});

/** The worker of a world that takes events of the directory. A stopped one is for good; each world has one. */
export function consumerOf({ app }: World): Worker {
  const job = app.jobs.find(({ name }) => name === 'tenant events');
  if (job === undefined || 'everyMs' in job) throw new Error('There is no consumer of tenant events.');
  return job;
}

export async function tenantRow(world: World, tenantId: string): Promise<Tenant> {
  return emOf(world, tenantId).findOneOrFail(Tenant, { id: tenantId });
}

/** The different names and types that the campaigns of a tenant bear. */
export async function campaignsSay(world: World, tenantId: string): Promise<string[]> {
  const campaigns = await emOf(world, tenantId).find(Campaign, {});
  return [...new Set(campaigns.map(({ tenantName, tenantType }) => `${tenantName} ${tenantType}`))];
}

export async function countRows(world: World, table: string): Promise<number> {
  const [row] = await systemEm(world.stores.orm).execute<[{ n: number }]>(
    `select count(*) as n from ${table}`,
  );
  return row.n;
}
