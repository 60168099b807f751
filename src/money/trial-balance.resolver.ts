import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import type { TrialBalanceService } from './trial-balance.service.js';
import { TrialBalanceType } from './trial-balance.types.js';

@Resolver()
export class TrialBalanceResolver {
  constructor(private readonly service: TrialBalanceService) {}

  @Query(() => TrialBalanceType, {
    description: 'Debits and credits of the ledger by currency and kind of account. For staff.',
  })
  async trialBalance(
    @Ctx() context: RequestContext,
    @Arg('facilityId', () => ID, { nullable: true }) facilityId: string | null,
    @Arg('currency', () => String, { nullable: true, description: 'The code of a currency.' })
    currency: string | null,
  ): Promise<object> {
    const balance = await this.service.of(requireStaff(context).tenantId, { facilityId, currency });
    const isBalanced = balance.currencies.every(
      ({ debit, credit, unbalancedFacilityIds }) => debit === credit && unbalancedFacilityIds.length === 0,
    );
    return { ...balance, isBalanced };
  }
}
