import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireActor, requireStaff, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { idempotencyKeyOf } from '../../graphql/idempotency-key.js';
import { ListArgs } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import { isId } from '../../platform/ids.js';
import { nullable } from '../../graphql/nullable.js';
import type { PointsGrantService } from './points-grant.service.js';
import type { PointsReader } from './points-reader.service.js';
import {
  GrantPointsInput,
  GrantPointsPayloadType,
  PointsLedgerPageType,
  PointsType,
} from './points.types.js';

@Resolver(() => PointsType)
export class PointsResolver {
  constructor(
    private readonly grants: PointsGrantService,
    private readonly reader: PointsReader,
  ) {}

  @Mutation(() => GrantPointsPayloadType, { description: 'Grants points to a user. For OWNER and OPERATOR.' })
  async grantPoints(
    @Arg('input', () => GrantPointsInput) input: GrantPointsInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return this.grants.grant(tenantId, { ...input, idempotencyKey });
    });
  }

  @Query(() => PointsType, { description: "One's own points." })
  async myPoints(@Ctx() context: RequestContext): Promise<PointsType> {
    const { tenantId, userId } = requireUser(context);
    return this.reader.of(tenantId, userId);
  }

  @Query(() => PointsType, nullable('The points of a user. For staff.'))
  async points(
    @Arg('userId', () => ID) userId: string,
    @Ctx() context: RequestContext,
  ): Promise<PointsType | null> {
    const { tenantId } = requireStaff(context);
    return isId(userId) ? this.reader.of(tenantId, userId) : null;
  }

  @FieldResolver(() => PointsLedgerPageType, { description: 'The ledger entries, newest first.' })
  async ledger(
    @Root() { userId }: PointsType,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<object> {
    return this.reader.ledger(requireActor(context).tenantId, userId, rangeOf(page, info));
  }
}
