import { createHash } from 'node:crypto';
import type { RequiredEntityData } from '@mikro-orm/core';
import type { Clock } from '../platform/clock.js';
import type { Campaign } from '../campaigns/campaign.entity.js';
import type { Id, IdGenerator } from '../platform/ids.js';
import { insertNew } from '../platform/database/insert-new.js';
import type { Em } from '../platform/database/orm.js';
import { isDuplicateKey } from '../platform/database/sql-errors.js';
import type { Outbox } from '../platform/outbox/outbox.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { lastFourOf } from './canonical-code.js';
import { CodeBatch } from './code-batch.entity.js';
import type { CodeDigester } from './code-digester.js';
import { codesGenerated } from './code-events.js';
import { formatOf, type CodeFormat } from './code-format.js';
import { CodeGenerator, type GeneratedCode } from './code-generator.js';
import { assertSpace } from './code-space.js';
import { moveCodeTotals, type CountedCode } from './code-totals.service.js';
import { Code } from './code.entity.js';
import { activePepper } from './pepper-registry.js';

const ROWS_AT_ONCE = 1000;
const DAY_MS = 86_400_000;

/** One of the codes just made exists already; the transaction is lost and runs again with other codes. */
export class CodesCollidedError extends Error {}

/** The batch's idempotency key belongs to a batch that another call has just committed. */
export class BatchKeyTakenError extends Error {}

export interface IssueOrder {
  readonly campaign: Campaign;
  readonly count: number;
  /** As {@link keyDigest} makes it. */
  readonly idempotencyKey: string | null;
  readonly argumentsDigest: string | null;
  /** Whether the codes can be redeemed only once the batch is activated. */
  readonly awaitsActivation: boolean;
  /** Looks for existing codes first; worth its reads only after a collision. */
  readonly avoidTaken: boolean;
}

/** What all codes of a batch share. */
interface CodeOrigin {
  readonly campaign: Campaign;
  readonly batchId: Id;
  /** Of the pepper. */
  readonly keyId: number;
  readonly issuedAt: Date;
}

export interface IssuedBatch {
  readonly batch: CodeBatch;
  /** The codes as their holders read them, in the order of their ids. */
  readonly codes: readonly string[];
  /** Of the pepper of their digests. */
  readonly keyId: number;
}

/** Writes a batch of codes, in the transaction of its caller: all of it stands with that transaction, or nothing. */
export class CodeIssuer {
  constructor(
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly tenants: TenantService,
    private readonly digester: CodeDigester,
  ) {}

  /** @throws CodesCollidedError, BatchKeyTakenError, and DomainError for a space or a quota that is too small */
  async issue(em: Em, order: IssueOrder): Promise<IssuedBatch> {
    const { campaign, count } = order;
    const { tenantId } = campaign;
    const format = formatOf(campaign.rule);
    assertSpace(format, (await issuedSoFar(em, campaign)) + count);
    const issuedAt = new Date(this.clock.nowMs());
    // First, so that a change of the active pepper waits for no transaction that itself waits.
    const keyId = await activePepper(em);
    const batch = await this.insertBatch(em, order, issuedAt);
    await this.registerFormat(em, tenantId, format, issuedAt);
    const codes = await this.makeCodes(em, format, order);
    const rows = codes.map((code) => this.rowOf(code, { campaign, batchId: batch.id, keyId, issuedAt }));
    await insertAll(em, rows);
    this.outbox.append(em, tenantId, [codesGenerated(batch)]);
    await this.tenants.reserveCodes(em, tenantId, count);
    await moveCodeTotals(
      em,
      rows.slice(0, 1).map((like) => ({ like, by: count })),
    );
    return { batch, codes: codes.map((code) => code.text), keyId };
  }

  private async insertBatch(em: Em, order: IssueOrder, createdAt: Date): Promise<CodeBatch> {
    const { campaign, count, idempotencyKey, argumentsDigest, awaitsActivation } = order;
    const row = {
      tenantId: campaign.tenantId,
      id: this.ids.next(),
      campaignId: campaign.id,
      status: 'READY' as const,
      requested: count,
      generated: count,
      frozenAt: null,
      voidedAt: null,
      awaitsActivation,
      activatedAt: null,
      extendedTo: null,
      version: 1,
      idempotencyKey,
      argumentsDigest,
      createdAt,
    };
    return insertNew(em, CodeBatch, row, (cause) => new BatchKeyTakenError('Taken.', { cause }));
  }

  private async makeCodes(em: Em, format: CodeFormat, order: IssueOrder): Promise<GeneratedCode[]> {
    const { tenantId } = order.campaign;
    const generator = new CodeGenerator(format);
    // The unique key knows equal codes by equal digests only, so those under another pepper are looked for.
    if (!order.avoidTaken && this.digester.keyIds.length === 1) return generator.distinct(order.count);
    const made = new Map<string, GeneratedCode>();
    while (made.size < order.count) {
      const fresh = generator.distinct(Math.min(ROWS_AT_ONCE, order.count - made.size), (canonical) =>
        made.has(canonical),
      );
      const digests = new Map(
        fresh.flatMap(({ canonical }) =>
          this.digester.digests(tenantId, canonical).map((digest) => [digest, canonical]),
        ),
      );
      const where = { codeDigest: { $in: [...digests.keys()] } };
      const found = await em.find(Code, where, { fields: ['codeDigest'], disableIdentityMap: true });
      const taken = new Set(found.map(({ codeDigest }) => digests.get(codeDigest)));
      for (const code of fresh) if (!taken.has(code.canonical)) made.set(code.canonical, code);
    }
    return [...made.values()];
  }

  private rowOf({ text, canonical }: GeneratedCode, its: CodeOrigin): RequiredEntityData<Code> & CountedCode {
    const { campaign, batchId, keyId, issuedAt } = its;
    const { tenantId, rule } = campaign;
    return {
      tenantId,
      id: this.ids.next(),
      codeDigest: this.digester.digest(tenantId, canonical, keyId),
      digestKeyId: keyId,
      codeText: campaign.codeVisibility === 'VISIBLE' ? text : null,
      lastFour: lastFourOf(text),
      campaignId: campaign.id,
      batchId,
      status: 'ACTIVE',
      useLimit: rule.useLimit,
      used: 0,
      lastUseNo: 0,
      startsAt: null,
      expiresAt: rule.validDays === null ? null : new Date(issuedAt.getTime() + rule.validDays * DAY_MS),
      assignedUserId: null,
      version: 1,
      issuedAt,
      deletedAt: null,
    };
  }

  /** Many campaigns share a format; the second finds it there. */
  private async registerFormat(em: Em, tenantId: string, format: CodeFormat, createdAt: Date): Promise<void> {
    const text = JSON.stringify(format);
    const signature = createHash('sha256').update(text).digest('hex');
    await em.execute(
      `insert into code_format (tenant_id, id, signature, format, created_at) values (?, ?, ?, ?, ?)
        on duplicate key update signature = values(signature)`,
      [tenantId, this.ids.next(), signature, text, createdAt],
    );
  }
}

async function issuedSoFar(em: Em, campaign: Campaign): Promise<number> {
  const [row]: { issued: unknown }[] = await em.execute(
    'select coalesce(sum(`generated`), 0) as issued from code_batch where tenant_id = ? and campaign_id = ?',
    [campaign.tenantId, campaign.id],
  );
  return Number(row?.issued ?? 0);
}

async function insertAll(em: Em, rows: readonly RequiredEntityData<Code>[]): Promise<void> {
  try {
    for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
      await em.insertMany(Code, rows.slice(start, start + ROWS_AT_ONCE));
    }
  } catch (error) {
    throw isDuplicateKey(error) ? new CodesCollidedError('A code exists already.', { cause: error }) : error;
  }
}
