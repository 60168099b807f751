import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { RedemptionType, RewardDebtType } from '../redemption.types.js';
import type { RedemptionRecord } from './redemption-record.js';

/** What is shown of a reversal, in any list. */
@Resolver(() => RedemptionType)
export class RedemptionReversalResolver {
  @FieldResolver(() => String, nullable('The member of staff who reversed it. For staff; null for users.'))
  reversedBy(@Root() { reversedBy }: RedemptionRecord, @Ctx() { actor }: RequestContext): string | null {
    return actor?.kind === 'STAFF' ? (reversedBy ?? null) : null;
  }

  @FieldResolver(() => String, nullable('Why it was reversed. For staff; null for users.'))
  reversalReason(
    @Root() { reversalReason }: RedemptionRecord,
    @Ctx() { actor }: RequestContext,
  ): string | null {
    return actor?.kind === 'STAFF' ? (reversalReason ?? null) : null;
  }

  @FieldResolver(() => [RewardDebtType], {
    description: 'What a reversal could not take back, because it had been spent.',
  })
  debts(@Root() { rewards }: RedemptionRecord): RewardDebtType[] {
    return rewards.flatMap(({ rewardNo, type, debt }) => (debt ? [{ rewardNo, type, debt }] : []));
  }
}
