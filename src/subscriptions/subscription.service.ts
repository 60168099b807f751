import type { MikroORM } from '@mikro-orm/core';
import { z } from 'zod';
import type { Clock } from '../platform/clock.js';
import type { Id } from '../platform/ids.js';
import { tenantEm } from '../platform/database/orm.js';
import type { SubscriptionCache } from './subscription-cache.redis.js';
import { statusAt } from './subscription-status.js';
import { SUBSCRIPTION_STATUSES, Subscription } from './subscription.entity.js';

/** More than a person holds; keeps one answer, and one cached value, bounded. */
const LIST_MAX = 500;

const instant = z.iso.datetime().transform((text) => new Date(text));

/** Cached subscriptions. Checked when they are read: an older program may have written them in another shape. */
const cachedSubscriptions = z.array(
  z.object({
    id: z.string(),
    planId: z.string(),
    status: z.enum(SUBSCRIPTION_STATUSES),
    token: z.string(),
    uuid: z.string(),
    startedAt: instant,
    expiresAt: instant.nullable(),
    trafficBytes: z.number(),
    trafficUsedBytes: z.number(),
  }),
);

/** A subscription as its user sees it. */
export type SubscriptionView = z.infer<typeof cachedSubscriptions>[number];

export class SubscriptionService {
  /** @param listOrm where lists are read, which may take long */
  constructor(
    private readonly listOrm: MikroORM,
    private readonly cache: SubscriptionCache,
    private readonly clock: Clock,
  ) {}

  /** What the user holds and held, newest first, with the status as of now. */
  async mine(tenantId: string, userId: Id): Promise<SubscriptionView[]> {
    const load = async () => JSON.stringify(await this.read(tenantId, userId));
    const cached = cachedSubscriptions.safeParse(
      JSON.parse(await this.cache.through(tenantId, userId, load)),
    );
    const views = cached.success ? cached.data : cachedSubscriptions.parse(JSON.parse(await load()));
    const nowMs = this.clock.nowMs();
    return views.map((view) => ({ ...view, status: statusAt(view, nowMs) }));
  }

  private async read(tenantId: string, userId: Id): Promise<unknown[]> {
    return tenantEm(this.listOrm, tenantId).find(
      Subscription,
      { userId },
      {
        fields: [
          'id',
          'planId',
          'status',
          'token',
          'uuid',
          'startedAt',
          'expiresAt',
          'trafficBytes',
          'trafficUsedBytes',
        ],
        orderBy: { id: 'desc' },
        limit: LIST_MAX,
        disableIdentityMap: true,
      },
    );
  }
}
