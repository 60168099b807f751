import type { MikroORM } from '@mikro-orm/core';
import { isId, type Id } from '../platform/ids.js';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import { CodeBatch } from './code-batch.entity.js';
import { both, effectiveClauses, partClauses, type Clause } from './code-clauses.js';
import type { CodeRecognizer } from './code-recognizer.service.js';
import { Code, CODE_STATUSES } from './code.entity.js';
import type { EffectiveStatus } from './effective-status.js';
import type { EffectiveStatusService } from './effective-status.service.js';

/** The status shown to people: that a code is used up follows from its counters. */
export const SHOWN_CODE_STATUSES = [...CODE_STATUSES, 'REDEEMED'] as const;
export type ShownCodeStatus = (typeof SHOWN_CODE_STATUSES)[number];

export interface CodeFilter {
  readonly campaignId?: Id | null;
  readonly batchId?: Id | null;
  readonly status?: ShownCodeStatus | null;
  /** Any of these, at this instant. */
  readonly effectiveStatus?: readonly EffectiveStatus[] | null;
  /** What a customer typed of the code, in any spelling. */
  readonly part?: string | null;
}

/** Among so few codes a part may stand anywhere in the code: to look at them takes a fraction of a second. */
const FEW_CODES = 50_000;

export interface BatchFilter {
  readonly campaignId?: Id | null;
}

/** An active code without a use left is redeemed; one that was switched off stays so to the eye. */
export function shownStatus(code: Pick<Code, 'status' | 'useLimit' | 'used'>): ShownCodeStatus {
  return code.status === 'ACTIVE' && code.useLimit > 0 && code.used >= code.useLimit
    ? 'REDEEMED'
    : code.status;
}

/** Codes and batches for staff. Deleted codes are not shown. */
export class CodeReader {
  constructor(
    private readonly orm: MikroORM,
    private readonly states: EffectiveStatusService,
    private readonly recognizer: CodeRecognizer,
  ) {}

  async code(tenantId: string, id: Id): Promise<Code | null> {
    if (!isId(id)) return null;
    return tenantEm(this.orm, tenantId).findOne(Code, { id, deletedAt: null }, { disableIdentityMap: true });
  }

  async batch(tenantId: string, id: Id): Promise<CodeBatch | null> {
    if (!isId(id)) return null;
    return tenantEm(this.orm, tenantId).findOne(CodeBatch, { id }, { disableIdentityMap: true });
  }

  /** What the code comes to at this instant. */
  async effectiveStatus(code: Code): Promise<EffectiveStatus> {
    return this.states.of(code);
  }

  /** Newest first, with the exact total. */
  async batches(tenantId: string, { campaignId }: BatchFilter, page: PageRange): Promise<Page<CodeBatch>> {
    if (campaignId && !isId(campaignId)) return { total: 0, items: [] };
    const where = campaignId ? { campaignId } : {};
    return findPage(tenantEm(this.orm, tenantId), CodeBatch, where, page);
  }

  /** Newest first, with the exact total. */
  async page(tenantId: string, filter: CodeFilter, page: PageRange): Promise<Page<Code>> {
    const em = tenantEm(this.orm, tenantId);
    const { sql, params } = await this.search(em, tenantId, filter);
    if (sql === '') return { total: 0, items: [] };
    const [{ total }] = await em.execute<[{ total: number }]>(
      `select count(*) as total from (${sql}) found`,
      params,
    );
    const ids = await em.execute<{ id: Id }[]>(
      `select cast(found.id as char) as id from (${sql}) found order by found.id desc limit ? offset ?`,
      [...params, page.size, page.offset],
    );
    const items = await em.find(
      Code,
      { id: { $in: ids.map(({ id }) => id) } },
      { orderBy: { id: 'desc' }, disableIdentityMap: true },
    );
    return { total, items };
  }

  /** The statement that finds the ids; empty where nothing can be found. Raw SQL, because indexes are forced. */
  async search(em: Em, tenantId: string, filter: CodeFilter): Promise<{ sql: string; params: unknown[] }> {
    const given = [filter.campaignId, filter.batchId].filter((id) => id !== null && id !== undefined);
    const clauses = given.every(isId) ? await this.clausesOf(em, tenantId, filter) : [];
    const own = ownConditions(tenantId, filter);
    const selects = clauses.map(({ index, where }) => {
      const hint = index === null ? '' : ` force index (${index})`;
      return `select id from code${hint} where ${own.where} and ${where}`;
    });
    // Codes that several spellings of a part lead to are the same; a code has one effective status.
    const union = filter.part ? ' union ' : ' union all ';
    return { sql: selects.join(union), params: clauses.flatMap(({ params }) => [...own.params, ...params]) };
  }

  private async clausesOf(em: Em, tenantId: string, filter: CodeFilter): Promise<Clause[]> {
    const { part, effectiveStatus } = filter;
    const states = effectiveStatus ? effectiveClauses(effectiveStatus, await this.states.scope(em)) : [];
    if (effectiveStatus && states.length === 0) return [];
    if (!part) return states.length > 0 ? states : [ALL];
    const areFew = (await issuedCount(em, tenantId, filter)) <= FEW_CODES;
    const digests = (canonical: string) => this.recognizer.digests(tenantId, canonical);
    return partClauses(tenantId, part, digests, areFew).map((clause) => both(clause, states));
  }
}

const ALL: Clause = { index: null, where: 'true', params: [] };

const STORED_STATUS_SQL: Readonly<Record<ShownCodeStatus, string>> = {
  INACTIVE: "status = 'INACTIVE'",
  ACTIVE: "status = 'ACTIVE' and (use_limit = 0 or used < use_limit)",
  REDEEMED: "status = 'ACTIVE' and use_limit > 0 and used >= use_limit",
  DISABLED: "status = 'DISABLED'",
};

function ownConditions(tenantId: string, { campaignId, batchId, status }: CodeFilter) {
  const conditions = ['tenant_id = ?', 'deleted_at is null'];
  const params: unknown[] = [tenantId];
  if (campaignId) {
    conditions.push('campaign_id = ?');
    params.push(campaignId);
  }
  if (batchId) {
    conditions.push('batch_id = ?');
    params.push(batchId);
  }
  if (status) conditions.push(STORED_STATUS_SQL[status]);
  return { where: conditions.join(' and '), params };
}

/** How many codes were issued, at least as many as there are. */
async function issuedCount(em: Em, tenantId: string, { campaignId, batchId }: CodeFilter): Promise<number> {
  const conditions = [campaignId ? ' and campaign_id = ?' : '', batchId ? ' and id = ?' : ''];
  const [row] = await em.execute<[{ issued: string }]>(
    `select coalesce(sum(\`generated\`), 0) as issued from code_batch where tenant_id = ?${conditions.join('')}`,
    [tenantId, campaignId, batchId].filter((value) => Boolean(value)),
  );
  return Number(row.issued);
}
