import { Arg, Ctx, ID, Query, Resolver, Root, Subscription } from 'type-graphql';
import { requireNodeOrStaff, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { AFTER, ownEvents, type FeedItem } from '../../graphql/own-events.js';
import type { Id } from '../../platform/ids.js';
import { NODES_CHANGED } from './node-events.js';
import type { NodeUser, NodeUsers, NodeUsersService } from './node-users.service.js';
import { NodesChangedEvent, NodeUsersType, NodeUserType, SubscriptionNodes } from './node.types.js';
import type { OpenedNodes, SubscriptionNodesService } from './subscription-nodes.service.js';

const NODE_ID = nullable('The node; a node may leave it out and asks for itself only.');

/** Who may use which node, asked from both sides. */
@Resolver()
export class NodeUsersResolver {
  constructor(
    private readonly opened: SubscriptionNodesService,
    private readonly users: NodeUsersService,
  ) {}

  @Query(() => [SubscriptionNodes], {
    description:
      'The nodes that each subscription of the signed-in user opens now; in the order of `mySubscriptions`.',
  })
  async subscriptionNodes(@Ctx() context: RequestContext): Promise<OpenedNodes[]> {
    const { tenantId, userId } = requireUser(context);
    return this.opened.mine(tenantId, userId);
  }

  @Query(() => NodeUsersType, {
    nullable: true,
    description:
      'The subscriptions that a node lets in, none of a disabled user, about 500 at a time; null where there is no such node, or `after` is not the `next` of this list. For nodes, OWNER and OPERATOR.',
  })
  async nodeUsers(
    @Ctx() context: RequestContext,
    @Arg('nodeId', () => ID, NODE_ID) nodeId: string | null,
    @Arg('after', () => String, nullable('The `next` of the part before.')) after: string | null,
  ): Promise<NodeUsers | null> {
    const asked = askedNode(context, nodeId);
    return asked && this.users.list(asked.tenantId, asked.nodeId, after ?? null);
  }

  @Query(() => NodeUserType, {
    nullable: true,
    description:
      'One subscription as a node has to know it, to be read after `subscriptionInvalidated`; null where the node does not let it in. For nodes, OWNER and OPERATOR.',
  })
  async nodeUser(
    @Ctx() context: RequestContext,
    @Arg('subscriptionId', () => ID) subscriptionId: string,
    @Arg('nodeId', () => ID, NODE_ID) nodeId: string | null,
  ): Promise<NodeUser | null> {
    const asked = askedNode(context, nodeId);
    return asked && this.users.find(asked.tenantId, asked.nodeId, subscriptionId);
  }

  @Subscription(() => NodesChangedEvent, {
    description: 'Read `nodeUsers` again: other plans open a node now. For nodes and staff.',
    subscribe: ownEvents({ types: [NODES_CHANGED], list: 'nodeUsers' }),
  })
  nodesChanged(@Root() item: FeedItem, @Arg('after', () => String, AFTER) _after?: string | null) {
    return item;
  }
}

/** A node asks for itself; another one is as good as missing. */
function askedNode(
  context: RequestContext,
  nodeId: string | null,
): { readonly tenantId: string; readonly nodeId: Id } | null {
  const actor = requireNodeOrStaff(context);
  const own = actor.kind === 'NODE' ? actor.nodeId : null;
  const asked = nodeId ?? own;
  if (asked === null || (own !== null && asked !== own)) return null;
  return { tenantId: actor.tenantId, nodeId: asked };
}
