import type { MikroORM } from '@mikro-orm/core';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../platform/cache-size.js';
import type { Clock } from '../../platform/clock.js';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';

/** How old `lastUsedAt` may be before a use is written. */
const MINUTE_MS = 60_000;
const KEYS_MAX = 10_000;

interface Collaborators {
  readonly orm: MikroORM;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Notes when keys are used, at most once a minute each, and beside the requests: none waits for it. */
export class KeyUses {
  private readonly notedMs = new LRUCache<string, number>(atMost(KEYS_MAX));

  constructor(private readonly its: Collaborators) {}

  note(tenantId: string, keyId: Id): void {
    const name = `${tenantId}:${keyId}`;
    const nowMs = this.its.clock.nowMs();
    if (nowMs - (this.notedMs.get(name) ?? -Infinity) < MINUTE_MS) return;
    this.notedMs.set(name, nowMs);
    // The caller does not depend on it; a lost note is written within the next minute.
    this.write(tenantId, keyId, nowMs).catch((error: unknown) => {
      this.its.log.debug({ err: error }, 'The use of an API key was not noted.');
    });
  }

  /** Of several processes the first in a minute writes. */
  private async write(tenantId: string, keyId: Id, nowMs: number): Promise<void> {
    await tenantEm(this.its.orm, tenantId).execute(
      `update api_key set last_used_at = ?
       where tenant_id = ? and id = ? and (last_used_at is null or last_used_at <= ?)`,
      [new Date(nowMs), tenantId, keyId, new Date(nowMs - MINUTE_MS)],
    );
  }
}
