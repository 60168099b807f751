import { Arg, Ctx, Mutation, Resolver, Root, Subscription } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { AFTER, ownEvents, type FeedItem } from '../../graphql/own-events.js';
import { answer } from '../../graphql/payload.js';
import { REDEMPTION_REVERSED } from '../../rewards/rewards-given.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import type { ReversalService } from './reversal.service.js';
import {
  RedemptionReversedEvent,
  ReverseRedemptionInput,
  ReverseRedemptionPayloadType,
} from './reversal.types.js';

@Resolver()
export class ReversalResolver {
  constructor(
    private readonly service: ReversalService,
    private readonly reader: Pick<RedemptionReader, 'byId'>,
  ) {}

  @Mutation(() => ReverseRedemptionPayloadType, {
    description:
      'Reverses a redemption once, without a time limit: takes back subscription time, coupons, points and money. For OWNER and OPERATOR.',
  })
  async reverseRedemption(
    @Arg('input', () => ReverseRedemptionInput) input: ReverseRedemptionInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, staffId } = requireStaff(context);
    const answered = await answer(async () => ({
      redemption: await this.service.reverse(tenantId, staffId, input),
    }));
    const isReversed = answered.errors[0]?.code === 'ALREADY_REVERSED';
    return isReversed
      ? { ...answered, redemption: await this.reader.byId(tenantId, input.redemptionId) }
      : answered;
  }

  @Subscription(() => RedemptionReversedEvent, {
    description: "The caller's redemptions that are reversed; staff see those of the tenant.",
    subscribe: ownEvents({ types: [REDEMPTION_REVERSED], list: 'redemptions' }),
  })
  redemptionReversed(@Root() item: FeedItem, @Arg('after', () => String, AFTER) _after?: string | null) {
    return item;
  }
}
