import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { signedUsers, startCluster, type Cluster } from './cluster.js';
import { graphqlRequest } from './graphql-client.js';
import { withLagOf, type Lagged } from './lag.js';
import type { Closing } from './open-before-all.js';
import {
  PASSING_IN_OUTAGES,
  pick,
  redeemAll,
  redeemOnce,
  tallyOf,
  type Redeemed,
  type RedeemWish,
} from './redeemers.js';
import { RedisServer } from './redis-server.js';
import { createScratchDatabase } from './scratch-database.js';
import { TcpForwarder } from './tcp-forwarder.js';
import { expectExactly } from './truth.js';
import { seedCampaign, seedTenant } from './world.js';

/** The limits of docs/outages.md. */
export const ANSWERED_MS_MAX = 1000;
const RECOVERED_MS_MAX = 5000;

export interface RedisOutage {
  readonly redis: RedisServer;
  /** Between the cluster and its Redis. */
  readonly forwarder: TcpForwarder;
  readonly cluster: Cluster;
}

/** A cluster on stores of its own, whose Redis can be killed, and cut off at the forwarder. */
export async function openRedisOutage(
  closing: Closing,
  environment: Readonly<Record<string, string>>,
): Promise<RedisOutage> {
  const redis = await closing(RedisServer.start());
  const forwarder = await closing(TcpForwarder.start(redis.port));
  const { databaseUrl } = await closing(createScratchDatabase());
  const redisUrl = `redis://127.0.0.1:${forwarder.port}/0`;
  const cluster = await closing(startCluster({ redisUrl, databaseUrl, mayComplain: true, environment }));
  return { redis, forwarder, cluster };
}

export interface Scene {
  readonly tenantId: string;
  /** One for each code and user, each with a key, so that a client can ask again. */
  readonly wishes: readonly RedeemWish[];
}

/** As many single-use codes as users, who each want one. */
export async function sceneOf({ world }: Cluster, count: number): Promise<Scene> {
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, count);
  const users = await signedUsers(world, tenant.tenantId, count);
  const wishes = users.map((user, at) => ({ user, code: codes[at] ?? '', key: `key-${at}` }));
  return { tenantId: tenant.tenantId, wishes };
}

export interface TimedAnswer extends Redeemed {
  readonly tookMs: number;
}

/** Each wish once, all at the same time. */
export async function askOnce(
  urls: readonly string[],
  wishes: readonly RedeemWish[],
): Promise<TimedAnswer[]> {
  return Promise.all(
    wishes.map(async (wish, at) => {
      const from = performance.now();
      const answer = await redeemOnce(pick(urls, at), wish);
      return { ...answer, tookMs: performance.now() - from };
    }),
  );
}

/** The lag by an operation without stores; the limits of outages are about the stores. */
export async function withLag<T>(urls: readonly string[], work: () => Promise<T>): Promise<Lagged<T>> {
  const looks = urls.map((url) => async () => graphqlRequest(url, { query: '{ __typename }' }));
  return withLagOf(looks, work);
}

export function slowest(answers: readonly { readonly tookMs: number }[]): number {
  return Math.round(Math.max(...answers.map(({ tookMs }) => tookMs)));
}

/** How long every process took until it redeemed again; asked from the moment that the store is back. */
export async function recovery(urls: readonly string[], wishes: readonly RedeemWish[]): Promise<number> {
  const from = performance.now();
  await Promise.all(
    urls.map(async (url, at) => {
      for (;;) {
        const { outcome } = await redeemOnce(url, pick(wishes, at));
        if (outcome === 'COMMITTED') return;
        expect(['SERVICE_UNAVAILABLE', 'PROCESSING']).toContain(outcome);
        await pause(25);
      }
    }),
  );
  return Math.round(performance.now() - from);
}

/** The same; fails where it takes longer than it may, and what this machine is late by. */
export async function expectRecovery(
  urls: readonly string[],
  wishes: readonly RedeemWish[],
): Promise<number> {
  const { result: recoveredMs, lagMs } = await withLag(urls, async () => recovery(urls, wishes));
  expect(recoveredMs).toBeLessThanOrEqual(RECOVERED_MS_MAX + 2 * lagMs);
  return recoveredMs;
}

/** Every client that was sent away comes again; in the end each has redeemed exactly once. */
export async function expectAllRedeemed(cluster: Cluster, { tenantId, wishes }: Scene): Promise<void> {
  const answers = await redeemAll(cluster.urls, wishes, PASSING_IN_OUTAGES);
  expect(tallyOf(answers)).toEqual({ COMMITTED: wishes.length });
  await expectExactly(cluster.world, tenantId, wishes.length, answers);
}

/** What an operator may read after a run; the figures in docs/outages.md come from here. */
export function note(what: string, figures: Readonly<Record<string, number | string>>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  process.stderr.write(`[measured] ${what}: ${text.join(', ')}\n`);
}
