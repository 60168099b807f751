import { setTimeout as pause } from 'node:timers/promises';
import type { TokenService } from '../../src/identity/token.service.js';
import { openWorld, type World } from '../support/world.js';
import type { NamedStore } from './stage-store.js';

const TOKEN_TTL_S = 4 * 3600;
const CLOSE_WITHIN_MS = 3000;

/** The services of the harness itself, directly on the stores; reopened when a store was restarted. */
export class StageWorld {
  private readonly stores: Readonly<Record<'redis' | 'database', NamedStore>>;
  private opened: World | null = null;
  private ofStart = '';

  constructor(stores: Readonly<Record<'redis' | 'database', NamedStore>>) {
    this.stores = stores;
  }

  async open(): Promise<World> {
    const { redis, database } = this.stores;
    const start = `${redis.startCount} ${database.startCount}`;
    if (this.opened !== null && this.ofStart === start) return this.opened;
    await this.close();
    const world = await openWorld({}, { databaseUrl: database.url, redisUrl: redis.url });
    this.ofStart = start;
    this.opened = { ...world, services: { ...world.services, tokens: lasting(world.services.tokens) } };
    return this.opened;
  }

  async close(): Promise<void> {
    const { opened } = this;
    if (opened === null) return;
    this.opened = null;
    const closing = opened.close().catch(() => undefined);
    // Its connections may lead to a server that is gone.
    await Promise.race([closing, pause(CLOSE_WITHIN_MS, null, { ref: false })]);
  }
}

/** Tokens that a process with a wrong clock takes too. */
function lasting(tokens: TokenService): TokenService {
  return Object.create(tokens, {
    sign: {
      value: (actor: Parameters<TokenService['sign']>[0]) => tokens.sign(actor, TOKEN_TTL_S, 'BY_OPERATOR'),
    },
  }) as TokenService;
}
