import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, Info, Mutation, Query, Resolver } from 'type-graphql';
import { requireActor, requireStaff, requireUser } from '../graphql/auth.js';
import type { PersonActor } from '../graphql/actor.js';
import type { RequestContext } from '../graphql/context.js';
import { ListArgs, SortedListArgs, type ListPageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import { rangeOf } from '../graphql/selects.js';
import type { AccountService } from './account.service.js';
import {
  AccountFilterInput,
  AccountPageType,
  AdjustBalanceInput,
  AdjustBalancePayloadType,
  EntryFilterInput,
  EntryPageType,
  ReleaseAccountInput,
  ReleaseAccountPayloadType,
  TransferFilterInput,
  TransferInput,
  TransferPageType,
  TransferPayloadType,
  type AccountType,
  type EntryObjectType,
  type TransferType,
} from './money.types.js';
import type { TransferService } from './transfer.service.js';

@Resolver()
export class AccountResolver {
  constructor(
    private readonly service: AccountService,
    private readonly transferService: TransferService,
  ) {}

  @Mutation(() => AdjustBalancePayloadType, {
    description: 'Adds to or subtracts from the balance of a user. For OWNER and OPERATOR.',
  })
  async adjustBalance(
    @Arg('input', () => AdjustBalanceInput) input: AdjustBalanceInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, staffId } = requireStaff(context);
    return answer(async () => ({ entry: await this.service.adjust(tenantId, staffId, input) }));
  }

  @Mutation(() => ReleaseAccountPayloadType, {
    description: 'Releases a halted account once its last entry matches its balance. For OWNER and OPERATOR.',
  })
  async releaseAccount(
    @Arg('input', () => ReleaseAccountInput) { accountId }: ReleaseAccountInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ account: await this.service.release(tenantId, accountId) }));
  }

  @Mutation(() => TransferPayloadType, { description: 'Transfers money from the caller to another user.' })
  async transfer(
    @Arg('input', () => TransferInput) input: TransferInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, userId } = requireUser(context);
    return answer(async () => ({
      transfer: await this.transferService.transfer(null, tenantId, userId, input),
    }));
  }

  @Query(() => AccountPageType, { description: "One's own accounts." })
  async myBalances(
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<AccountType>> {
    const { tenantId, userId } = requireUser(context);
    return this.service.list(tenantId, { userId }, rangeOf(page, info));
  }

  @Query(() => AccountPageType, { description: 'The accounts of users. For staff.' })
  async accounts(
    @Args(() => ListArgs) page: ListArgs,
    @Arg('filter', () => AccountFilterInput, { nullable: true }) filter: AccountFilterInput | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<AccountType>> {
    return this.service.list(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  @Query(() => EntryPageType, { description: "One's own entries; staff see all of the tenant." })
  async entries(
    @Args(() => SortedListArgs) page: SortedListArgs,
    @Arg('filter', () => EntryFilterInput, { nullable: true }) filter: EntryFilterInput | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<EntryObjectType>> {
    const actor = requireActor(context);
    return this.service.entries(actor.tenantId, { ...filter, ...ownOf(actor) }, rangeOf(page, info));
  }

  @Query(() => TransferPageType, {
    description: "One's own transfers, sent and received; staff see all of the tenant.",
  })
  async transfers(
    @Args(() => ListArgs) page: ListArgs,
    @Arg('filter', () => TransferFilterInput, { nullable: true }) filter: TransferFilterInput | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<TransferType>> {
    const actor = requireActor(context);
    return this.transferService.list(actor.tenantId, { ...filter, ...ownOf(actor) }, rangeOf(page, info));
  }
}

/** Users see their own, whatever they ask for. */
function ownOf(actor: PersonActor): { readonly userId?: string } {
  return actor.kind === 'USER' ? { userId: actor.userId } : {};
}
