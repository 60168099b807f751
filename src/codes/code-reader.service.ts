import type { MikroORM } from '@mikro-orm/core';
import { isId, type Id } from '../platform/ids.js';
import { cutPage, EMPTY_PAGE, findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import { effectiveEnd } from './batch-gate.service.js';
import { CodeAllocation, CodeAllocationItem } from './code-allocation.entity.js';
import { CodeBatch, UNDER_WAY } from './code-batch.entity.js';
import type { CodeFilter } from './code-filter.js';
import { joined, type CodeSearch, type FoundCodes, type Statement } from './code-search.js';
import { Code } from './code.entity.js';
import type { EffectiveStatus } from './effective-status.js';
import type { EffectiveStatusService } from './effective-status.service.js';

/** A statement that finds the ids of codes, and one that tells whether a single code, `:id`, is one of them. */
export interface CodesMeant extends Statement {
  readonly test: Statement;
}

export interface BatchFilter {
  readonly campaignId?: Id | null;
}

/** Codes and batches for staff. Deleted codes are not shown. */
export class CodeReader {
  /** @param orm where lists are read, which may take long */
  constructor(
    private readonly orm: MikroORM,
    private readonly states: EffectiveStatusService,
    private readonly search: CodeSearch,
  ) {}

  async code(tenantId: string, id: Id): Promise<Code | null> {
    if (!isId(id)) return null;
    const em = tenantEm(this.orm, tenantId);
    const found = await em.find(Code, { id, deletedAt: null }, { disableIdentityMap: true });
    const [code = null] = await withEnds(em, found);
    return code;
  }

  /** The row of a code, also of one that was deleted. */
  async row(tenantId: string, id: Id): Promise<Code | null> {
    if (!isId(id)) return null;
    return tenantEm(this.orm, tenantId).findOne(Code, { id }, { disableIdentityMap: true });
  }

  /** How a code was handed out; null where it was not. */
  async allocation(tenantId: string, codeId: Id): Promise<CodeAllocation | null> {
    const em = tenantEm(this.orm, tenantId);
    const item = await em.findOne(CodeAllocationItem, { codeId }, { disableIdentityMap: true });
    if (item === null) return null;
    return em.findOne(CodeAllocation, { id: item.allocationId }, { disableIdentityMap: true });
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
    if (campaignId && !isId(campaignId)) return EMPTY_PAGE;
    const where = campaignId ? { campaignId } : {};
    return findPage(tenantEm(this.orm, tenantId), CodeBatch, where, page);
  }

  /** Batches whose codes are being made, the newest first. */
  async batchesUnderWay(tenantId: string, limit: number): Promise<CodeBatch[]> {
    const status = { $in: [...UNDER_WAY] };
    const em = tenantEm(this.orm, tenantId);
    return em.find(CodeBatch, { status }, { orderBy: { id: 'desc' }, limit, disableIdentityMap: true });
  }

  /** How many codes there are, by the totals. */
  async count(tenantId: string): Promise<number> {
    const [{ total }] = await tenantEm(this.orm, tenantId).execute<[{ total: string }]>(
      'select coalesce(sum(total), 0) as total from code_total where tenant_id = ?',
      [tenantId],
    );
    return Number(total);
  }

  /** With the exact total where it is asked for. */
  async page(tenantId: string, filter: CodeFilter, page: PageRange): Promise<Page<Code>> {
    const em = tenantEm(this.orm, tenantId);
    const found = await this.search.find(em, tenantId, filter);
    if (found === null) return EMPTY_PAGE;
    const { isCounted = true, isOldestFirst = false, size } = page;
    const total = isCounted ? await totalOf(em, found.total) : 0;
    const { items: ids, next } = cutPage(await idsOfPage(em, found, page), size);
    const items = await em.find(
      Code,
      { id: { $in: ids.map(({ id }) => id) } },
      { orderBy: { id: isOldestFirst ? 'asc' : 'desc' }, disableIdentityMap: true },
    );
    return { total, items: await withEnds(em, items), next };
  }

  /** Statements about the codes of a filter, for lists of rows that refer to them; null where nothing can be found. */
  async find(tenantId: string, filter: CodeFilter): Promise<CodesMeant | null> {
    const found = await this.search.find(tenantEm(this.orm, tenantId), tenantId, filter);
    return found && { ...joined(found.ways, found.union), test: found.test };
  }
}

/** Each way answers as many as can be on the page, so that their union stays as small. */
async function idsOfPage(
  em: Em,
  { ways, union }: FoundCodes,
  { size, offset, afterId = null, isOldestFirst = false }: PageRange,
): Promise<{ id: Id }[]> {
  const [beyond, order] = isOldestFirst ? ['>', 'asc'] : ['<', 'desc'];
  const [behind, skipped] = afterId === null ? [[], offset] : [[afterId], 0];
  const cut = ways.map(({ sql, params }) => ({
    sql: `${sql}${afterId === null ? '' : ` and id ${beyond} ?`} order by id ${order} limit ?`,
    params: [...params, ...behind, skipped + size + 1],
  }));
  const { sql, params } = joined(cut, union);
  return em.execute<{ id: Id }[]>(
    `select cast(found.id as char) as id from (${sql}) found order by found.id ${order} limit ? offset ?`,
    [...params, size + 1, skipped],
  );
}

/** The codes with the ends that they have by the extensions of their batches. */
async function withEnds(em: Em, codes: Code[]): Promise<Code[]> {
  if (codes.length === 0) return codes;
  const extended = await em.find(
    CodeBatch,
    { id: { $in: [...new Set(codes.map(({ batchId }) => batchId))] }, extendedTo: { $ne: null } },
    { fields: ['id', 'extendedTo'], disableIdentityMap: true },
  );
  const byId = new Map(extended.map((batch) => [batch.id, batch]));
  for (const code of codes) {
    const batch = byId.get(code.batchId);
    if (batch !== undefined) code.expiresAt = effectiveEnd(code, batch);
  }
  return codes;
}

async function totalOf(em: Em, { sql, params }: Statement): Promise<number> {
  const [row] = await em.execute<[{ total: number | string }]>(sql, [...params]);
  return Number(row.total);
}
