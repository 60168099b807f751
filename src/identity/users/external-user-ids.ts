import { setImmediate as nextRound } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../platform/cache-size.js';
import type { Id } from '../../platform/ids.js';
import { tenantEm } from '../../platform/database/orm.js';
import { resultWithin } from '../../platform/scheduling/timeout.js';
import type { ErasedUser, UserErasure } from './user-erasure.js';
import { User } from './user.entity.js';

const CACHE_MAX = 50_000;
/** Another process may erase the user. */
const CACHE_TTL_MS = 10_000;
/** A redemption is answered without the name rather than late. */
const WAIT_MS_MAX = 250;

interface Batch {
  readonly ids: Set<Id>;
  readonly found: Promise<ReadonlyMap<Id, string> | null>;
}

/**
 * The ids of users in the tenants' own systems. The rows of a list that are resolved in one round of the event loop
 * are read together. A user's external id changes by the erasure alone: in this process it is forgotten at once, in
 * others after ten seconds.
 */
export class ExternalUserIds implements UserErasure {
  private readonly known = new LRUCache<string, string>({ ...atMost(CACHE_MAX), ttl: CACHE_TTL_MS });
  /** Those that still take ids, by tenant. */
  private readonly batches = new Map<string, Batch>();

  /** @param orm that of redemptions: the connections of lists may all be busy, and a committed answer waits for this */
  constructor(private readonly orm: MikroORM) {}

  /** @returns null for a user that is not of this tenant, and where the database does not answer in time */
  async of(tenantId: string, userId: Id): Promise<string | null> {
    const key = `${tenantId}:${userId}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const batch = this.batches.get(tenantId) ?? this.openBatch(tenantId);
    batch.ids.add(userId);
    const externalId = (await batch.found)?.get(userId) ?? null;
    if (externalId !== null) this.known.set(key, externalId);
    return externalId;
  }

  async forget({ tenantId, userId }: ErasedUser): Promise<void> {
    this.known.delete(`${tenantId}:${userId}`);
  }

  private openBatch(tenantId: string): Batch {
    const ids = new Set<Id>();
    const batch: Batch = { ids, found: resultWithin(WAIT_MS_MAX, this.read(tenantId, ids)) };
    this.batches.set(tenantId, batch);
    return batch;
  }

  private async read(tenantId: string, ids: ReadonlySet<Id>): Promise<ReadonlyMap<Id, string>> {
    await nextRound();
    this.batches.delete(tenantId);
    const users = await tenantEm(this.orm, tenantId).find(
      User,
      { id: { $in: [...ids] } },
      { fields: ['id', 'externalId'], disableIdentityMap: true },
    );
    return new Map(users.map(({ id, externalId }) => [id, externalId]));
  }
}
