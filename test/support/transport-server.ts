import { inject } from 'vitest';
import { pino } from 'pino';
import type { Registry } from 'prom-client';
import { loadConfig } from '../../src/config.js';
import type { HealthChecks } from '../../src/transport/health.js';
import type { TryOut } from '../../src/transport/graphiql.js';
import type { HttpServerParts } from '../../src/transport/parts.js';
import { createHttpServer, type HttpServer } from '../../src/transport/server.js';
import { WorkShares } from '../../src/transport/work-shares.js';
import type { Actor } from '../../src/graphql/actor.js';
import { TokenService } from '../../src/identity/token.service.js';
import type { EventFeed } from '../../src/platform/push/event-feed.js';
import { connectRedis, type Redis } from '../../src/platform/redis/redis.js';
import { systemClock, type Clock } from '../../src/platform/clock.js';
import { transportSchema } from './transport-schema.js';

const SECRET = 's'.repeat(40);
export const USER: Actor = { kind: 'USER', tenantId: 'T_1', userId: '42' };

/** Of queries and of changes, as with the defaults of the configuration. */
export const PLACES = { reads: 6, writes: 8 };

interface TransportOptions {
  /** What GraphiQL is filled with. */
  readonly tryOut?: () => TryOut | null;
  readonly environment?: Record<string, string>;
  readonly health?: HealthChecks;
  readonly metrics?: Registry;
  readonly clock?: Clock;
  readonly redisUrl?: string;
  readonly shares?: WorkShares;
  /** Without it every caller is admitted: the callers of this server have no rows. */
  readonly access?: HttpServerParts['access'];
}

/** The transport alone, on a free port, with a small schema that misbehaves on demand. */
export interface TransportServer {
  readonly url: string;
  readonly server: HttpServer;
  readonly redis: Redis;
  readonly tokens: TokenService;
  /** Every line logged so far. */
  readonly logged: Record<string, unknown>[];
  close(): Promise<void>;
}

export async function startTransport(options: TransportOptions = {}): Promise<TransportServer> {
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    JWT_SECRET: SECRET,
    CODE_PEPPER: 'p'.repeat(40),
    // Production asks for both; the transport alone opens neither.
    DATABASE_URL: 'mariadb://nobody@127.0.0.1:1/none',
    REDIS_URL: 'redis://127.0.0.1:1',
    ...options.environment,
  });
  const logged: Record<string, unknown>[] = [];
  const write = (line: string): void => void logged.push(JSON.parse(line) as Record<string, unknown>);
  const log = pino({ level: 'debug' }, { write });
  const redis = connectRedis(options.redisUrl ?? inject('redisUrl'), 5000);
  const tokens = new TokenService([SECRET], options.clock ?? systemClock);
  const health = options.health ?? { redis: async () => redis.ping(), database: async () => undefined };
  const server = await createHttpServer({
    schema: transportSchema(),
    tokens,
    access: options.access ?? {
      refusalOf: async () => null,
      knownRefusalOf: () => null,
      refusalOfKey: async () => null,
    },
    clock: options.clock ?? systemClock,
    config,
    log,
    redis,
    shares: options.shares ?? new WorkShares(PLACES),
    health,
    // The test schema has its own sources of events.
    events: {} as EventFeed,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    ...(options.tryOut === undefined ? {} : { tryOut: options.tryOut }),
  });
  const url = await server.listen();
  const close = async (): Promise<void> => {
    await server.close();
    redis.disconnect();
  };
  return { url, server, redis, tokens, logged, close };
}
