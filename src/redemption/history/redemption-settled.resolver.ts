import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../../graphql/context.js';
import { isRedeemRefusal, uniformRefusal, type RedeemRefusal } from '../redemption.errors.js';
import { RedemptionSettledEvent } from '../redemption.types.js';

@Resolver(() => RedemptionSettledEvent)
export class RedemptionSettledResolver {
  constructor(private readonly uniformRefusals: boolean) {}

  /** A push tells a guesser no more than an answer does. */
  @FieldResolver()
  refusal(
    @Root() { refusal }: { readonly refusal?: RedeemRefusal | null },
    @Ctx() { actor }: RequestContext,
  ): RedeemRefusal | null {
    // Events of an older program may name a reason that is no longer one.
    if (refusal === undefined || refusal === null || !isRedeemRefusal(refusal)) return null;
    return this.uniformRefusals && actor?.kind !== 'STAFF' ? uniformRefusal(refusal) : refusal;
  }
}
