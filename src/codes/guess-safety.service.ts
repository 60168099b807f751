import { createHash } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { isSet } from '../platform/assert.js';
import type { Clock } from '../platform/clock.js';
import { deleteRows } from '../platform/database/delete-rows.js';
import type { Em } from '../platform/database/orm.js';
import type { Id, IdGenerator } from '../platform/ids.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import { canonicalize } from './canonical-code.js';
import { CodeBatchFormat } from './code-batch-format.entity.js';
import type { CodeDigester } from './code-digester.js';
import { CodeFormatRow } from './code-format.entity.js';
import type { CodeFormat } from './code-format.js';
import { assertSpace, guessRiskOf, type GuessRisk, type LiveCodes } from './code-space.js';
import type { Code } from './code.entity.js';
import { overlap } from './format-overlap.js';
import { guessedFormat, isLiteral } from './given-format.js';

const FRESH = { disableIdentityMap: true } as const;

/** Codes that a batch is about to have. */
export interface CountedCodes {
  readonly tenantId: string;
  readonly batchId: Id;
  readonly format: CodeFormat;
  readonly count: number;
}

/**
 * Whether a chosen code with a format of its own must not be guessed: one of several uses is made to be known, and an
 * assigned one is of no use to others. All other codes must not be guessed, whatever their uses.
 */
export function isSecret({ useLimit, assignedUserId }: Pick<Code, 'useLimit' | 'assignedUserId'>): boolean {
  return useLimit === 1 && !isSet(assignedUserId);
}

/**
 * Keeps the codes of a tenant from being guessed. A guess hits whatever is live in any campaign, so live codes are
 * counted by format over the whole tenant, and no format gets more of them than its space allows together with those
 * of all formats that overlap with it. Chosen codes with formats of their own count from when they are secret.
 *
 * Counters move in the transaction that issues codes or takes them out of use, under a lock of the tenant's row. So
 * of several calls at once each sees what the others have issued. Codes that are used up, expired, frozen or switched
 * off stay counted.
 */
export class GuessSafety {
  /** @param guessesPerHit at most one guess in this number may hit a live code */
  constructor(
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    private readonly digester: CodeDigester,
    private readonly guessesPerHit: number,
  ) {}

  /** Refuses a rule by itself, before there is a campaign. @throws DomainError CODE_SPACE_TOO_SMALL */
  assertRule(format: CodeFormat, count: number): void {
    assertSpace({ format, live: count }, this.guessesPerHit, [], ['input', 'rule', 'length']);
  }

  /** What codes of a format would come to beside the live ones of the tenant. */
  async riskOf(em: Em, format: CodeFormat, count: number): Promise<GuessRisk & { guessesPerHitMin: number }> {
    const guessed = guessedFormat(format);
    const others = await liveBeside(em, guessed);
    const risk = guessRiskOf({ format: guessed, live: count }, this.guessesPerHit, others);
    return { ...risk, guessesPerHitMin: this.guessesPerHit };
  }

  /** Refuses early what {@link count} would refuse, before the codes are made. @throws DomainError CODE_SPACE_TOO_SMALL */
  async assertRoom(em: Em, format: CodeFormat, count: number, field?: readonly string[]): Promise<void> {
    const guessed = guessedFormat(format);
    assertSpace({ format: guessed, live: count }, this.guessesPerHit, await liveBeside(em, guessed), field);
  }

  /**
   * Counts codes that this transaction issues, and registers their format. Locks the tenant's row, so it comes last.
   * @throws DomainError CODE_SPACE_TOO_SMALL
   */
  async count(em: Em, { tenantId, batchId, format, count }: CountedCodes): Promise<void> {
    await lockTenant(em, tenantId);
    await this.assertRoom(em, format, count);
    const formatId = await this.register(em, tenantId, format);
    await em.execute('update code_format set live = live + ? where tenant_id = ? and id = ?', [
      count,
      tenantId,
      formatId,
    ]);
    await em.execute(
      `insert into code_batch_format (tenant_id, batch_id, format_id, live) values (?, ?, ?, ?)
        on duplicate key update live = live + values(live)`,
      [tenantId, batchId, formatId, count],
    );
  }

  /**
   * Counts a code that a change has made secret, unless it is counted already; then it stays so until it is deleted,
   * however often it is changed. The caller has locked the code.
   * @throws DomainError CODE_SPACE_TOO_SMALL
   */
  async countSecret(em: Em, code: Code): Promise<void> {
    const formats = await em.find(CodeFormatRow, {}, FRESH);
    const own = formats.find(({ format }) => this.isTextOf(format, code));
    if (own === undefined) return;
    const { tenantId, batchId } = code;
    const counted = await em.findOne(CodeBatchFormat, { batchId, formatId: own.id, live: { $gt: 0 } }, FRESH);
    if (counted === null) await this.count(em, { tenantId, batchId, format: own.format, count: 1 });
  }

  /** Makes codes of a format known without counting them. Many campaigns share a format; the second finds it there. */
  async register(em: Em, tenantId: string, { template, alphabet }: CodeFormat): Promise<Id> {
    // In this order: MySQL has another one for what it has stored.
    const text = JSON.stringify({ template, alphabet });
    const signature = createHash('sha256').update(text).digest('hex');
    const values = [tenantId, this.ids.next(), signature, text, new Date(this.clock.nowMs())];
    await em.execute(
      `insert into code_format (tenant_id, id, signature, format, live, created_at) values (?, ?, ?, ?, 0, ?)
        on duplicate key update signature = values(signature)`,
      values,
    );
    const row = await em.findOneOrFail(CodeFormatRow, { signature }, FRESH);
    return row.id;
  }

  /**
   * Takes single codes of a batch off the counters. Where a batch has codes of several formats that are not their own,
   * nothing tells which are these, and they stay counted until the batch is voided.
   */
  async giveBack(em: Em, tenantId: string, batchId: Id, codes: readonly Code[]): Promise<void> {
    await lockTenant(em, tenantId);
    const rows = await rowsOf(em, [batchId]);
    if (rows.length === 0) return;
    const formats = await em.find(
      CodeFormatRow,
      { id: { $in: rows.map(({ formatId }) => formatId) } },
      FRESH,
    );
    for (const { id: formatId, format } of formats) {
      const { live = 0 } = rows.find((row) => row.formatId === formatId) ?? {};
      const own = isLiteral(format) ? codes.filter((code) => this.isTextOf(format, code)) : codes;
      const off = isLiteral(format) || rows.length === 1 ? Math.min(live, own.length) : 0;
      if (off === 0) continue;
      await takeOff(em, { tenantId, formatId }, off);
      await em.nativeUpdate(CodeBatchFormat, { batchId, formatId }, { live: live - off });
    }
  }

  /** Takes all codes of batches off the counters: they are void, or their campaign has ended. */
  async drop(em: Em, tenantId: string, batchIds: readonly Id[]): Promise<void> {
    if (batchIds.length === 0) return;
    await lockTenant(em, tenantId);
    for (const row of await rowsOf(em, batchIds)) await takeOff(em, row, row.live);
    const prefix = { tenant_id: tenantId };
    await deleteRows(em, { table: 'code_batch_format', prefix, column: 'batch_id', ids: batchIds });
  }

  /** By its digest, because the text of a code may not be kept. */
  private isTextOf(format: CodeFormat, { tenantId, codeDigest }: Code): boolean {
    const canonical = isLiteral(format) ? canonicalize(format.template) : null;
    return canonical !== null && this.digester.digests(tenantId, canonical).includes(codeDigest);
  }
}

/** All counters of a tenant are read and moved by the holder of this lock. */
async function lockTenant(em: Em, tenantId: string): Promise<void> {
  const options = { fields: ['id'], lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
  await em.findOne(Tenant, { id: tenantId }, options);
}

async function liveBeside(em: Em, format: CodeFormat): Promise<LiveCodes[]> {
  const rows = await em.find(CodeFormatRow, { live: { $gt: 0 } }, FRESH);
  const others = rows.map((row) => ({ format: guessedFormat(row.format), live: row.live }));
  return others.filter((each) => overlap(each.format, format));
}

async function rowsOf(em: Em, batchIds: readonly Id[]): Promise<CodeBatchFormat[]> {
  const where = { batchId: { $in: [...batchIds] } };
  return em.find(CodeBatchFormat, where, { orderBy: { formatId: 'asc' }, ...FRESH });
}

async function takeOff(
  em: Em,
  { tenantId, formatId }: Pick<CodeBatchFormat, 'tenantId' | 'formatId'>,
  count: number,
): Promise<void> {
  await em.execute('update code_format set live = live - ? where tenant_id = ? and id = ?', [
    count,
    tenantId,
    formatId,
  ]);
}
