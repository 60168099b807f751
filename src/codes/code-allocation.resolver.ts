import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff, requireStaffOrPartner } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { idempotencyKeyOf } from '../graphql/idempotency-key.js';
import { nullable } from '../graphql/nullable.js';
import { answer } from '../graphql/payload.js';
import type { ChosenCodesService } from './chosen-codes.service.js';
import type { CodeAllocationService } from './code-allocation.service.js';
import {
  AddCodesInput,
  AddCodesPayloadType,
  AllocateCodesInput,
  AllocateCodesPayloadType,
  CodePoolType,
  SetCodePoolInput,
  SetCodePoolPayloadType,
} from './code-allocation.types.js';
import type { CodePoolService } from './code-pool.service.js';

@Resolver(() => CodePoolType)
export class CodeAllocationResolver {
  constructor(
    private readonly chosen: ChosenCodesService,
    private readonly pools: CodePoolService,
    private readonly allocations: CodeAllocationService,
  ) {}

  @Mutation(() => AddCodesPayloadType, {
    description:
      'Adds codes of chosen texts, one that is shared or a list: all of them, or none. For OWNER and OPERATOR.',
  })
  async addCodes(
    @Arg('input', () => AddCodesInput) input: AddCodesInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return this.chosen.add(tenantId, { ...input, idempotencyKey });
    });
  }

  @Mutation(() => SetCodePoolPayloadType, {
    description: 'Keeps a pool of codes for a campaign, which refills itself. For OWNER and OPERATOR.',
  })
  async setCodePool(
    @Arg('input', () => SetCodePoolInput) input: SetCodePoolInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ pool: await this.pools.set(tenantId, { ...input }) }));
  }

  @Mutation(() => AllocateCodesPayloadType, {
    description:
      "Hands codes of the campaign's pool to a user or a channel, each to one receiver only: all that were asked for, or none. For OWNER and OPERATOR, and API keys with the scope `codes:sell`.",
  })
  async allocateCodes(
    @Arg('input', () => AllocateCodesInput) input: AllocateCodesInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaffOrPartner(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return this.allocations.allocate(tenantId, { ...input, idempotencyKey });
    });
  }

  @Query(
    () => CodePoolType,
    nullable('The pool of a campaign. For staff, and API keys with the scope `codes:read`.'),
  )
  async codePool(
    @Arg('campaignId', () => ID) campaignId: string,
    @Ctx() context: RequestContext,
  ): Promise<CodePoolType | null> {
    return this.pools.find(requireStaffOrPartner(context).tenantId, campaignId);
  }
}
