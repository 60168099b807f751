import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { Plan } from '../plan.entity.js';
import type { SubscriptionService } from '../subscription.service.js';
import { opensNode } from './plan-openings.js';
import { SubscriptionNode } from './subscription-node.entity.js';

/** The nodes that a subscription opens now. */
export interface OpenedNodes {
  readonly subscriptionId: Id;
  readonly planId: Id;
  readonly nodes: readonly SubscriptionNode[];
}

/**
 * The user side: what of a user's subscriptions is cached says whether they run; plans and nodes are read as they are
 * now, so a node that was switched off is gone with the next call.
 */
export class SubscriptionNodesService {
  constructor(
    private readonly readOrm: MikroORM,
    private readonly subscriptions: Pick<SubscriptionService, 'mine'>,
  ) {}

  /** Of all subscriptions of the user, newest first; expired, used-up and stopped ones open none. */
  async mine(tenantId: string, userId: Id): Promise<OpenedNodes[]> {
    const held = await this.subscriptions.mine(tenantId, userId);
    const running = held.filter(({ status }) => status === 'ACTIVE');
    const opened = await this.openedBy(
      tenantId,
      running.map(({ planId }) => planId),
    );
    return held.map(({ id, planId, status }) => ({
      subscriptionId: id,
      planId,
      nodes: status === 'ACTIVE' ? (opened.get(planId) ?? []) : [],
    }));
  }

  private async openedBy(
    tenantId: string,
    planIds: readonly Id[],
  ): Promise<ReadonlyMap<Id, SubscriptionNode[]>> {
    if (planIds.length === 0) return new Map();
    const em = tenantEm(this.readOrm, tenantId);
    const plans = await em.find(
      Plan,
      { id: { $in: [...new Set(planIds)] } },
      { fields: ['id', 'nodeIds', 'nodeTags'], disableIdentityMap: true },
    );
    const nodes = await em.find(
      SubscriptionNode,
      { enabled: true },
      { orderBy: { id: 'asc' }, disableIdentityMap: true },
    );
    return new Map(plans.map((plan) => [plan.id, nodes.filter((node) => opensNode(plan, node))]));
  }
}
