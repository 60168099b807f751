import type { Clock } from '../platform/clock.js';
import type { Campaign } from '../campaigns/campaign.entity.js';
import type { IdGenerator } from '../platform/ids.js';
import { insertNew } from '../platform/database/insert-new.js';
import type { Em } from '../platform/database/orm.js';
import type { Outbox } from '../platform/outbox/outbox.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { CodeBatch, type BatchRecipe } from './code-batch.entity.js';
import type { CodeChunkWriter } from './code-chunk-writer.js';
import { codesGenerated } from './code-events.js';
import { formatOf, type CodeFormat } from './code-format.js';
import { countedAs } from './code-row.js';
import { moveCodeTotals } from './code-totals.service.js';
import type { GuessSafety } from './guess-safety.service.js';
import { newBatch } from './new-batch.js';
import { activePepper } from './pepper-registry.js';

export interface BatchOrder {
  readonly campaign: Campaign;
  readonly count: number;
  /** As {@link keyDigest} makes it. */
  readonly idempotencyKey: string | null;
  readonly argumentsDigest: string | null;
  /** Whether the codes can be redeemed only once the batch is activated. */
  readonly awaitsActivation: boolean;
}

export interface IssueOrder extends BatchOrder {
  /** Looks for existing codes first; worth its reads only after a collision. */
  readonly avoidTaken: boolean;
}

export interface IssuedBatch {
  readonly batch: CodeBatch;
  /** The codes as their holders read them, in the order of their ids. */
  readonly codes: readonly string[];
  /** Of the pepper of their digests. */
  readonly keyId: number;
}

/** Writes a batch in the transaction of its caller: with all its codes, or with none, for a job that makes them. */
export class CodeIssuer {
  constructor(
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly tenants: TenantService,
    private readonly writer: CodeChunkWriter,
    private readonly guesses: GuessSafety,
  ) {}

  /** @throws CodesCollidedError, KeyTakenError, and DomainError for a space or a quota that is too small */
  async issue(em: Em, order: IssueOrder): Promise<IssuedBatch> {
    const { campaign, count, avoidTaken } = order;
    const { tenantId } = campaign;
    const format = formatOf(campaign.rule);
    await this.guesses.assertRoom(em, format, count);
    // First, so that a change of the active pepper waits for no transaction that itself waits.
    const keyId = await activePepper(em);
    const batch = await this.insertBatch(em, order, { status: 'READY', generated: count, recipe: null });
    const { id: batchId, createdAt: issuedAt } = batch;
    const chunk = {
      tenantId,
      campaignId: campaign.id,
      batchId,
      recipe: campaign,
      keyId,
      issuedAt,
      count,
      avoidTaken,
    };
    const codes = await this.writer.write(em, chunk);
    this.outbox.append(em, tenantId, [codesGenerated(batch)]);
    await this.reserveAll(em, batch, format);
    await moveCodeTotals(em, [{ like: countedAs(chunk), by: count }]);
    return { batch, codes, keyId };
  }

  /**
   * Reserves the quota of all codes of a batch, and makes none of them.
   * @throws KeyTakenError, and DomainError as {@link issue}
   */
  async reserve(em: Em, order: BatchOrder): Promise<CodeBatch> {
    const { rule, codeVisibility } = order.campaign;
    const recipe = { rule, codeVisibility };
    const batch = await this.insertBatch(em, order, { status: 'PENDING', generated: 0, recipe });
    await this.reserveAll(em, batch, formatOf(rule));
    return batch;
  }

  /** The quota, and what could be guessed, of all codes of a batch; last, because it locks the tenant's row. */
  private async reserveAll(em: Em, batch: CodeBatch, format: CodeFormat): Promise<void> {
    const { tenantId, id: batchId, requested: count } = batch;
    await this.tenants.reserveCodes(em, tenantId, count);
    await this.guesses.count(em, { tenantId, batchId, format, count });
  }

  private async insertBatch(
    em: Em,
    { campaign, count, idempotencyKey, argumentsDigest, awaitsActivation }: BatchOrder,
    state: Pick<CodeBatch, 'status' | 'generated'> & { readonly recipe: BatchRecipe | null },
  ): Promise<CodeBatch> {
    const row = newBatch({
      tenantId: campaign.tenantId,
      id: this.ids.next(),
      campaignId: campaign.id,
      ...state,
      requested: count,
      awaitsActivation,
      idempotencyKey,
      argumentsDigest,
      createdAt: new Date(this.clock.nowMs()),
    });
    return insertNew(em, CodeBatch, row);
  }
}
