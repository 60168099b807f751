import { z } from 'zod';
import { CODES_AT_ONCE_MAX } from '../campaigns/campaign-rule.js';
import type { Id } from '../platform/ids.js';
import { countNumber, foreignKeyText, parseInput } from '../platform/input.js';
import { callKeyOf, findKeyed, makeOnce, type CallKey } from '../platform/database/keyed-rows.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { CodeBatch, isUnderWay } from './code-batch.entity.js';
import type { EnqueueBatch } from './batch-change.service.js';
import { untilDistinct } from './code-chunk-writer.js';
import type { CodeIssuer, IssuedBatch, IssueOrder } from './code-issuer.js';
import type { CodeRefresh } from './code-refresh.js';
import type { ShownCodes } from './shown-codes.redis.js';
import { Code } from './code.entity.js';
import type { GenerateCodesRefusal } from './code.errors.js';
import { openCampaign } from './open-campaign.js';

/** Codes of one batch. Above {@link CODES_AT_ONCE_MAX} a job makes them. */
export const CODES_PER_BATCH_MAX = 5_000_000;

const generateCodesInput = z.strictObject({
  campaignId: z.string().max(24),
  count: countNumber(1, CODES_PER_BATCH_MAX),
  idempotencyKey: foreignKeyText.nullish().transform((key) => key ?? null),
  // Missing where it is false, so that keys of older calls still fit their arguments.
  activateAtSale: z
    .boolean()
    .nullish()
    .transform((isAtSale) => (isAtSale === true ? true : undefined)),
});

export interface GeneratedBatch {
  readonly batch: CodeBatch;
  /** Null where a job makes them; or they are not kept, and were fetched again before, or the time for it is over. */
  readonly codes: readonly string[] | null;
  readonly replayed: boolean;
}

export interface GenerationCollaborators extends Pick<PlatformServices, 'orm' | 'transactions'> {
  readonly issuer: CodeIssuer;
  readonly tenants: TenantService;
  readonly refresh: CodeRefresh;
  readonly shown: ShownCodes;
  readonly enqueue: EnqueueBatch;
  /** For the metrics: codes of a batch that is READY. */
  readonly onGenerated: (campaignId: Id, count: number) => void;
}

/** Makes a batch of codes: a small one at once, complete and ready; a large one by a job, which it is handed to. */
export class CodeGenerationService {
  constructor(private readonly its: GenerationCollaborators) {}

  /**
   * Makes 1 to 10,000 codes in one transaction, or orders up to 5,000,000. The same key again answers the same batch.
   * @throws DomainError one of {@link GENERATE_CODES_REFUSALS}
   */
  async generate(tenantId: string, input: unknown): Promise<GeneratedBatch> {
    const wanted = parseInput<typeof generateCodesInput, GenerateCodesRefusal>(generateCodesInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      campaignId: 'CAMPAIGN_NOT_FOUND',
      count: 'CODE_COUNT_OUT_OF_RANGE',
      idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
    });
    const key = callKeyOf(tenantId, 'code_batch', wanted);
    const made = await makeOnce<GeneratedBatch>(
      async () => {
        const batch = await findKeyed(tenantEm(this.its.orm, tenantId), CodeBatch, key);
        return batch === null ? null : this.repeat(batch, wanted.idempotencyKey);
      },
      async () => ({ ...(await this.make(tenantId, wanted, key)), replayed: false }),
    );
    if (made.replayed) return made;
    if (made.codes === null) await this.its.enqueue(made.batch);
    else await this.announce(made.batch);
    return made;
  }

  /** After the commit that made a batch READY: no process may go on taking its codes for unknown. */
  async announce(batch: CodeBatch): Promise<void> {
    this.its.onGenerated(batch.campaignId, batch.generated);
    await this.its.refresh.added(batch.tenantId);
  }

  /** Issues codes in the caller's transaction. Those that are not kept can be fetched once more by the key. */
  async issue(em: Em, order: IssueOrder, key: string | null): Promise<IssuedBatch> {
    const issued = await this.its.issuer.issue(em, order);
    const { tenantId, codeVisibility } = order.campaign;
    if (key !== null && codeVisibility === 'HASHED') {
      const batch = { tenantId, batchId: issued.batch.id, idempotencyKey: key };
      await this.its.shown.keep(batch, issued.codes, issued.keyId);
    }
    return issued;
  }

  /** A batch that was made before, with its codes where they are kept, or can be fetched once more. */
  async repeat(batch: CodeBatch, idempotencyKey: string | null): Promise<GeneratedBatch> {
    if (batch.requested > CODES_AT_ONCE_MAX) {
      // The first call may have died between its commit and this.
      if (isUnderWay(batch)) await this.its.enqueue(batch);
      return { batch, codes: null, replayed: true };
    }
    const em = tenantEm(this.its.orm, batch.tenantId);
    const rows = await em.find(
      Code,
      { batchId: batch.id },
      { fields: ['codeText'], orderBy: { id: 'asc' }, disableIdentityMap: true },
    );
    const texts = rows.flatMap((row) => row.codeText ?? []);
    // The first call may have died between its commit and this.
    await this.its.refresh.added(batch.tenantId);
    if (texts.length === rows.length) return { batch, codes: texts, replayed: true };
    const { tenantId, id: batchId } = batch;
    const codes =
      idempotencyKey === null ? null : await this.its.shown.take({ tenantId, batchId, idempotencyKey });
    return { batch, codes, replayed: true };
  }

  private async make(
    tenantId: string,
    wanted: z.output<typeof generateCodesInput>,
    key: CallKey,
  ): Promise<Pick<GeneratedBatch, 'batch' | 'codes'>> {
    const { campaignId, count, idempotencyKey, activateAtSale = false } = wanted;
    await this.its.tenants.assertCanIssue(tenantId, count);
    return untilDistinct(async (avoidTaken) =>
      this.its.transactions.run(tenantId, async (em) => {
        const campaign = await openCampaign(em, campaignId);
        const order = { campaign, count, awaitsActivation: activateAtSale, ...key };
        if (count > CODES_AT_ONCE_MAX)
          return { batch: await this.its.issuer.reserve(em, order), codes: null };
        return this.issue(em, { ...order, avoidTaken }, idempotencyKey);
      }),
    );
  }
}
