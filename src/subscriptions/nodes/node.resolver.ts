import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, ID, Info, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { ListArgs, type ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import type { NodeService } from './node.service.js';
import {
  CreateNodeInput,
  CreateNodePayloadType,
  CreateNodeTokenPayloadType,
  DeleteNodePayloadType,
  NodeFilterInput,
  NodeIdInput,
  NodePageType,
  SubscriptionNodeType,
  UpdateNodeInput,
  UpdateNodePayloadType,
} from './node.types.js';

@Resolver(() => SubscriptionNodeType)
export class NodeResolver {
  constructor(private readonly service: NodeService) {}

  @Mutation(() => CreateNodePayloadType, { description: 'Makes a node. For OWNER and OPERATOR.' })
  async createNode(
    @Arg('input', () => CreateNodeInput) input: CreateNodeInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ node: await this.service.create(tenantId, { ...input }) }));
  }

  @Mutation(() => UpdateNodePayloadType, {
    description: 'Changes a node, with effect on the next look at it. For OWNER and OPERATOR.',
  })
  async updateNode(
    @Arg('input', () => UpdateNodeInput) { nodeId, ...changes }: UpdateNodeInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ node: await this.service.update(tenantId, nodeId, changes) }));
  }

  @Mutation(() => DeleteNodePayloadType, {
    description: 'Deletes a node; plans that name it no longer open it. For OWNER and OPERATOR.',
  })
  async deleteNode(
    @Arg('input', () => NodeIdInput) { nodeId }: NodeIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ nodeId: await this.service.delete(tenantId, nodeId) }));
  }

  @Mutation(() => CreateNodeTokenPayloadType, {
    description:
      'Makes a token with which a node reads `nodeUsers` and hears of changes, for 15 minutes. For OWNER and OPERATOR.',
  })
  async createNodeToken(
    @Arg('input', () => NodeIdInput) { nodeId }: NodeIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => this.service.createToken(tenantId, nodeId));
  }

  @Query(() => SubscriptionNodeType, nullable('A node of the tenant. For staff.'))
  async node(
    @Arg('id', () => ID) id: string,
    @Ctx() context: RequestContext,
  ): Promise<SubscriptionNodeType | null> {
    return this.service.find(requireStaff(context).tenantId, id);
  }

  @Query(() => NodePageType, { description: 'The nodes of the tenant, newest first. For staff.' })
  async nodes(
    @Arg('filter', () => NodeFilterInput, { nullable: true }) filter: NodeFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<SubscriptionNodeType>> {
    return this.service.list(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }
}
