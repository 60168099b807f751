import type { MikroORM } from '@mikro-orm/core';
import { Campaign } from '../../campaigns/campaign.entity.js';
import { User } from '../../identity/users/user.entity.js';
import { DomainError } from '../../platform/errors.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { isId, type Id } from '../../platform/ids.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { effectiveEnd } from '../batch-gate.service.js';
import { CodeBatch } from '../code-batch.entity.js';
import { shownStatus } from '../code-filter.js';
import { Code } from '../code.entity.js';
import { csvOf } from './csv-cells.js';
import { CodeImportRefusal } from './code-import.entity.js';

const ROWS_AT_ONCE = 500;
/** Pictures that are drawn without a pause: a few milliseconds. */
const TEXTS_A_TURN = 16;
/** The first ones are those that an import takes. */
const HEADER = [
  'code',
  'use_limit',
  'starts_at',
  'expires_at',
  'external_user_id',
  'last_four',
  'status',
  'used',
  'id',
  'campaign_id',
  'batch_id',
];

/** Codes of a batch, or of a campaign. */
export type ExportScope = { readonly batchId: Id } | { readonly campaignId: Id };

/** What is exported: the batches of a scope, oldest first. */
export interface ExportedBatches {
  readonly tenantId: string;
  readonly batches: readonly ExportedBatch[];
}

type ExportedBatch = Pick<CodeBatch, 'id' | 'extendedTo'>;

interface ExportPage {
  readonly batch: ExportedBatch;
  readonly codes: readonly Code[];
}

/** Codes as files, read in pages, so that memory stays the same for any number of them. */
export class CodeExportService {
  constructor(
    private readonly orm: MikroORM,
    /** Resolves when the process has a moment for this tenant's bulk work. */
    private readonly turn: (tenantId: string) => Promise<void>,
    private readonly transactions: Pick<Transactions, 'recordOperation'>,
  ) {}

  /** Whole codes leave, so that it is recorded. @throws DomainError EXPORT_SCOPE_NOT_FOUND */
  async find(tenantId: string, scope: ExportScope): Promise<ExportedBatches> {
    const exported = await this.batchesOf(tenantId, scope);
    const target =
      'batchId' in scope
        ? { type: 'code_batch', id: scope.batchId }
        : { type: 'campaign', id: scope.campaignId };
    await this.transactions.recordOperation(tenantId, target);
    return exported;
  }

  /** The codes as CSV, with a header; the text is empty where the campaign does not keep it. */
  async *csv(exported: ExportedBatches): AsyncGenerator<string> {
    yield csvOf([HEADER]);
    for await (const { batch, codes } of this.pages(exported)) {
      const users = await externalIds(tenantEm(this.orm, exported.tenantId), codes);
      yield csvOf(codes.map((code) => rowOf(code, batch, users)));
    }
  }

  /** The texts of the codes, without those that are not kept. A few are drawn in each turn. */
  async *texts(exported: ExportedBatches): AsyncGenerator<string> {
    for await (const { codes } of this.pages(exported))
      for (const [index, { codeText }] of codes.entries()) {
        if (index % TEXTS_A_TURN === 0) await this.turn(exported.tenantId);
        if (codeText) yield codeText;
      }
  }

  private async batchesOf(tenantId: string, scope: ExportScope): Promise<ExportedBatches> {
    const em = tenantEm(this.orm, tenantId);
    const options = {
      fields: ['id', 'extendedTo'],
      orderBy: { id: 'asc' },
      disableIdentityMap: true,
    } as const;
    if ('batchId' in scope) {
      const batches = isId(scope.batchId) ? await em.find(CodeBatch, { id: scope.batchId }, options) : [];
      return batches.length > 0 ? { tenantId, batches } : refuseScope();
    }
    const { campaignId } = scope;
    if (!isId(campaignId) || (await em.count(Campaign, { id: campaignId, deletedAt: null })) === 0)
      return refuseScope();
    return { tenantId, batches: await em.find(CodeBatch, { campaignId }, options) };
  }

  /** Codes that are not deleted, in the order in which they were made. */
  private async *pages({ tenantId, batches }: ExportedBatches): AsyncGenerator<ExportPage> {
    const options = {
      orderBy: { id: 'asc' },
      limit: ROWS_AT_ONCE,
      indexHint: 'force index (ix_code__batch)',
      disableIdentityMap: true,
    } as const;
    for (const batch of batches)
      for (let after: Id = '0'; ;) {
        await this.turn(tenantId);
        const where = { batchId: batch.id, id: { $gt: after }, deletedAt: null };
        const codes = await tenantEm(this.orm, tenantId).find(Code, where, options);
        if (codes.length > 0) yield { batch, codes };
        if (codes.length < ROWS_AT_ONCE) break;
        after = codes.at(-1)?.id ?? after;
      }
  }

  /** The lines that an import refused, and why, as CSV. */
  async *refusedLines(tenantId: string, importId: Id): AsyncGenerator<string> {
    yield csvOf([['line', 'reason']]);
    for (let after = 0; ;) {
      const rows = await tenantEm(this.orm, tenantId).find(
        CodeImportRefusal,
        { importId, line: { $gt: after } },
        { orderBy: { line: 'asc' }, limit: ROWS_AT_ONCE, disableIdentityMap: true },
      );
      if (rows.length > 0) yield csvOf(rows.map(({ line, reason }) => [line, reason]));
      if (rows.length < ROWS_AT_ONCE) return;
      after = rows.at(-1)?.line ?? after;
    }
  }
}

function refuseScope(): never {
  throw new DomainError('EXPORT_SCOPE_NOT_FOUND', 'The tenant has no batch or campaign with this id.');
}

function rowOf(code: Code, batch: ExportedBatch, users: ReadonlyMap<Id, string>): (string | number | null)[] {
  const { assignedUserId } = code;
  return [
    code.codeText ?? null,
    code.useLimit,
    code.startsAt?.toISOString() ?? null,
    effectiveEnd(code, batch)?.toISOString() ?? null,
    assignedUserId ? (users.get(assignedUserId) ?? null) : null,
    code.lastFour,
    shownStatus(code),
    code.used,
    code.id,
    code.campaignId,
    code.batchId,
  ];
}

async function externalIds(em: Em, codes: readonly Code[]): Promise<ReadonlyMap<Id, string>> {
  const ids = [...new Set(codes.flatMap(({ assignedUserId }) => assignedUserId ?? []))];
  if (ids.length === 0) return new Map();
  const users = await em.find(User, { id: { $in: ids } }, { disableIdentityMap: true });
  return new Map(users.map(({ id, externalId }) => [id, externalId]));
}
