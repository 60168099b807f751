import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff, requireStaffOrPartner } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { nullable } from '../graphql/nullable.js';
import { idempotencyKeyOf } from '../graphql/idempotency-key.js';
import { ListArgs, type ListPageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import { rangeOf } from '../graphql/selects.js';
import { percentageOf } from './batch-pace.js';
import type { BatchChangeService } from './batch-change.service.js';
import {
  ActivateBatchPayloadType,
  BatchFilterInput,
  BatchIdInput,
  BatchPageType,
  BatchType,
  CancelBatchPayloadType,
  ExtendBatchInput,
  ExtendBatchPayloadType,
  FreezeBatchPayloadType,
  GenerateCodesInput,
  GenerateCodesPayloadType,
  UnfreezeBatchPayloadType,
  VoidBatchPayloadType,
} from './batch.types.js';
import type { CodeGenerationService } from './code-generation.service.js';
import type { CodeReader } from './code-reader.service.js';

@Resolver(() => BatchType)
export class BatchResolver {
  constructor(
    private readonly generation: CodeGenerationService,
    private readonly changes: BatchChangeService,
    private readonly reader: CodeReader,
  ) {}

  @Mutation(() => GenerateCodesPayloadType, {
    description:
      'Makes codes: all that were asked for, or none. Above 10,000 the answer comes first, and a worker makes them. For OWNER and OPERATOR, and API keys with the scope `codes:generate`.',
  })
  async generateCodes(
    @Arg('input', () => GenerateCodesInput) input: GenerateCodesInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaffOrPartner(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return this.generation.generate(tenantId, { ...input, idempotencyKey });
    });
  }

  @Mutation(() => CancelBatchPayloadType, {
    description:
      'Ends the generation of a batch that is not READY: none of its codes can ever be redeemed, they are removed, and its quota is given back at once. For OWNER and OPERATOR.',
  })
  async cancelBatch(
    @Arg('input', () => BatchIdInput) { batchId }: BatchIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ batch: await this.changes.cancel(tenantId, batchId) }));
  }

  @Mutation(() => FreezeBatchPayloadType, {
    description: "A frozen batch's codes cannot be redeemed until it is unfrozen. For OWNER and OPERATOR.",
  })
  async freezeBatch(
    @Arg('input', () => BatchIdInput) { batchId }: BatchIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ batch: await this.changes.freeze(tenantId, batchId) }));
  }

  @Mutation(() => UnfreezeBatchPayloadType, {
    description: 'Makes the codes of a frozen batch redeemable again. For OWNER and OPERATOR.',
  })
  async unfreezeBatch(
    @Arg('input', () => BatchIdInput) { batchId }: BatchIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ batch: await this.changes.unfreeze(tenantId, batchId) }));
  }

  @Mutation(() => VoidBatchPayloadType, {
    description:
      "A voided batch's codes can never be redeemed; their quota is given back. For OWNER and OPERATOR.",
  })
  async voidBatch(
    @Arg('input', () => BatchIdInput) { batchId }: BatchIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ batch: await this.changes.void(tenantId, batchId) }));
  }

  @Mutation(() => ActivateBatchPayloadType, {
    description:
      'Makes the codes of a batch redeemable that was made with `activateAtSale`. For OWNER and OPERATOR, and API keys with the scope `codes:sell`.',
  })
  async activateBatch(
    @Arg('input', () => BatchIdInput) { batchId }: BatchIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaffOrPartner(context);
    return answer(async () => ({ batch: await this.changes.activate(tenantId, batchId) }));
  }

  @Mutation(() => ExtendBatchPayloadType, {
    description:
      'Lets the codes of a batch be redeemed for longer, expired ones too; codes without an end keep none. For OWNER and OPERATOR.',
  })
  async extendBatch(
    @Arg('input', () => ExtendBatchInput) { batchId, ...input }: ExtendBatchInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ batch: await this.changes.extend(tenantId, batchId, input) }));
  }

  @Query(
    () => BatchType,
    nullable('A batch of the tenant. For staff, and API keys with the scope `codes:read`.'),
  )
  async batch(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<BatchType | null> {
    return this.reader.batch(requireStaffOrPartner(context).tenantId, id);
  }

  @Query(() => BatchPageType, {
    description:
      'The batches of the tenant, newest first. For staff, and API keys with the scope `codes:read`.',
  })
  async batches(
    @Arg('filter', () => BatchFilterInput, { nullable: true }) filter: BatchFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<BatchType>> {
    const { tenantId } = requireStaffOrPartner(context);
    return this.reader.batches(tenantId, filter ?? {}, rangeOf(page, info));
  }

  @FieldResolver()
  percentage(@Root() { generated, requested }: BatchType): number {
    return percentageOf(generated, requested);
  }
}
