import type { MikroORM } from '@mikro-orm/core';
import type { Clock } from './clock.js';
import type { Transactions } from './database/transaction.js';
import type { IdGenerator } from './ids.js';
import type { Logger } from './observability/log.js';
import type { Outbox } from './outbox/outbox.js';
import type { Redis } from './redis/redis.js';

/** What the platform offers to every module; each names what it takes. */
export interface PlatformServices {
  readonly orm: MikroORM;
  /** For queries alone, which may take long. */
  readonly readOrm: MikroORM;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly transactions: Transactions;
  readonly outbox: Outbox;
  readonly log: Logger;
}
