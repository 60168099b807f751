import type { MikroORM } from '@mikro-orm/core';
import { z } from 'zod';
import { User } from '../../identity/users/user.entity.js';
import { tenantEm } from '../../platform/database/orm.js';
import type { Clock } from '../../platform/clock.js';
import { compareIds, isId, type Id } from '../../platform/ids.js';
import { Plan } from '../plan.entity.js';
import { statusAt } from '../subscription-status.js';
import { Subscription } from '../subscription.entity.js';
import { opensNode } from './plan-openings.js';
import type { PlanUsersCache } from './plan-users.redis.js';
import { SubscriptionNode } from './subscription-node.entity.js';

/** Subscriptions in a cached page of a plan; an answer ends behind the page that reaches this number. */
const PAGE = 500;
/** Pages read for one answer: plans of few subscriptions have one each. */
const READS_MAX = 50;

const FIELDS = ['id', 'userId', 'status', 'uuid', 'expiresAt', 'trafficBytes', 'trafficUsedBytes'] as const;

/** Checked when it is read: an older program may have written another shape. */
const cachedPage = z.array(
  z.object({
    id: z.string(),
    userId: z.string(),
    status: z.literal('ACTIVE'),
    uuid: z.string(),
    expiresAt: z.iso
      .datetime()
      .transform((text) => new Date(text))
      .nullable(),
    trafficBytes: z.number(),
    trafficUsedBytes: z.number(),
  }),
);
type RunningSubscription = z.infer<typeof cachedPage>[number];

/** A subscription that a node lets in. */
export interface NodeUser extends Omit<RunningSubscription, 'id' | 'status'> {
  readonly subscriptionId: Id;
  readonly planId: Id;
  /** 0 means unlimited. */
  readonly deviceLimit: number;
}

export interface NodeUsers {
  readonly users: readonly NodeUser[];
  /** Where the next answer begins; null at the end. */
  readonly next: string | null;
}

/** Where an answer begins: in the plan of this id or the next one, behind a subscription. */
interface Position {
  readonly planId: Id;
  readonly afterId: Id;
}

type OpeningPlan = Pick<Plan, 'id' | 'nodeIds' | 'nodeTags' | 'deviceLimit'>;

export interface NodeUsersParts {
  /** For reads that may take long. */
  readonly readOrm: MikroORM;
  readonly cache: PlanUsersCache;
  readonly clock: Clock;
}

/**
 * The node side: which subscriptions a node lets in, none of a disabled user. Plans, nodes and users are read as they
 * are now, subscriptions cached.
 */
export class NodeUsersService {
  constructor(private readonly its: NodeUsersParts) {}

  /**
   * About 500 at a time, by plan and age. None where the node is not enabled.
   * @returns null where there is no such node, or `after` is none of this list
   */
  async list(tenantId: string, nodeId: Id, after: string | null): Promise<NodeUsers | null> {
    const start = positionIn(after);
    const plans = start && (await this.plansOf(tenantId, nodeId));
    if (start === null || plans === null) return null;
    const { users, next } = await this.part(tenantId, plans, start);
    return { users: await this.ofActiveUsers(tenantId, users), next };
  }

  private async part(tenantId: string, plans: readonly OpeningPlan[], start: Position): Promise<NodeUsers> {
    const users: NodeUser[] = [];
    let { afterId } = start;
    let reads = 0;
    for (const plan of plans) {
      if (compareIds(plan.id, start.planId) < 0) continue;
      if (plan.id !== start.planId) afterId = '0';
      for (let isEnd = false; !isEnd;) {
        if (users.length >= PAGE || reads === READS_MAX) return { users, next: `${plan.id}.${afterId}` };
        const page = await this.page(tenantId, plan.id, afterId);
        reads += 1;
        users.push(...this.running(plan, page));
        isEnd = page.length < PAGE;
        afterId = page.at(-1)?.id ?? afterId;
      }
    }
    return { users, next: null };
  }

  /** One of them, from the database: what a node asks for after a push. Null where the node lets it in no longer. */
  async find(tenantId: string, nodeId: Id, subscriptionId: Id): Promise<NodeUser | null> {
    const plans = isId(subscriptionId) ? await this.plansOf(tenantId, nodeId) : null;
    if (plans === null) return null;
    const found = await tenantEm(this.its.readOrm, tenantId).findOne(
      Subscription,
      { id: subscriptionId, status: 'ACTIVE' },
      { fields: [...FIELDS, 'planId'], disableIdentityMap: true },
    );
    const plan = plans.find(({ id }) => id === found?.planId);
    if (found === null || plan === undefined) return null;
    const running = this.running(plan, [{ ...found, status: 'ACTIVE', expiresAt: found.expiresAt ?? null }]);
    const [user = null] = await this.ofActiveUsers(tenantId, running);
    return user;
  }

  private async ofActiveUsers(tenantId: string, users: readonly NodeUser[]): Promise<readonly NodeUser[]> {
    const ids = new Set(users.map(({ userId }) => userId));
    if (ids.size === 0) return users;
    const active = await tenantEm(this.its.readOrm, tenantId).find(
      User,
      { id: { $in: [...ids] }, status: 'ACTIVE' },
      { fields: ['id'], disableIdentityMap: true },
    );
    const activeIds = new Set(active.map(({ id }) => id));
    return users.filter(({ userId }) => activeIds.has(userId));
  }

  /** The plans that open the node, oldest first; null where there is no such node. */
  private async plansOf(tenantId: string, nodeId: Id): Promise<OpeningPlan[] | null> {
    const em = tenantEm(this.its.readOrm, tenantId);
    const node = isId(nodeId)
      ? await em.findOne(SubscriptionNode, { id: nodeId }, { disableIdentityMap: true })
      : null;
    if (node === null) return null;
    if (!node.enabled) return [];
    const plans = await em.find(
      Plan,
      {},
      {
        fields: ['id', 'nodeIds', 'nodeTags', 'deviceLimit'],
        orderBy: { id: 'asc' },
        disableIdentityMap: true,
      },
    );
    return plans.filter((plan) => opensNode(plan, node));
  }

  private async page(tenantId: string, planId: Id, afterId: Id): Promise<RunningSubscription[]> {
    const load = async () => JSON.stringify(await this.read(tenantId, planId, afterId));
    const text = await this.its.cache.through(tenantId, planId, afterId, load);
    const cached = cachedPage.safeParse(JSON.parse(text));
    return cached.success ? cached.data : cachedPage.parse(JSON.parse(await load()));
  }

  private async read(tenantId: string, planId: Id, afterId: Id): Promise<unknown[]> {
    return tenantEm(this.its.readOrm, tenantId).find(
      Subscription,
      { planId, status: 'ACTIVE', id: { $gt: afterId } },
      {
        fields: FIELDS,
        orderBy: { id: 'asc' },
        limit: PAGE,
        indexHint: 'force index (ix_subscription__plan_status)',
        disableIdentityMap: true,
      },
    );
  }

  /** What has ended since it was cached, or is yet to be swept, is left out. */
  private running(plan: OpeningPlan, page: readonly RunningSubscription[]): NodeUser[] {
    const nowMs = this.its.clock.nowMs();
    return page
      .filter((subscription) => statusAt(subscription, nowMs) === 'ACTIVE')
      .map(({ id, userId, uuid, expiresAt, trafficBytes, trafficUsedBytes }) => ({
        subscriptionId: id,
        planId: plan.id,
        userId,
        uuid,
        expiresAt,
        deviceLimit: plan.deviceLimit,
        trafficBytes,
        trafficUsedBytes,
      }));
  }
}

function positionIn(after: string | null): Position | null {
  if (after === null) return { planId: '0', afterId: '0' };
  const [planId = '', afterId = '', ...rest] = after.split('.');
  const isPosition = isId(planId) && (afterId === '0' || isId(afterId)) && rest.length === 0;
  return isPosition ? { planId, afterId } : null;
}
