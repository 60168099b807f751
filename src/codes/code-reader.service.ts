import { raw, type FilterQuery, type MikroORM } from '@mikro-orm/core';
import { isId, type Id } from '../platform/ids.js';
import { tenantEm } from '../platform/orm/orm.js';
import { CodeBatch } from './code-batch.entity.js';
import { Code, CODE_STATUSES } from './code.entity.js';

/** What people are told: that a code is used up follows from its counters. */
export const SHOWN_CODE_STATUSES = [...CODE_STATUSES, 'REDEEMED'] as const;
export type ShownCodeStatus = (typeof SHOWN_CODE_STATUSES)[number];

export interface CodeFilter {
  readonly campaignId?: Id | null;
  readonly batchId?: Id | null;
  readonly status?: ShownCodeStatus | null;
  /** Part of the code as it is shown, in capitals or not; of a code whose text is not kept, of its last four. */
  readonly part?: string | null;
}

/** An active code without a use left is redeemed; one that was switched off stays so to the eye. */
export function shownStatus(code: Pick<Code, 'status' | 'useLimit' | 'used'>): ShownCodeStatus {
  return code.status === 'ACTIVE' && code.useLimit > 0 && code.used >= code.useLimit
    ? 'REDEEMED'
    : code.status;
}

/** Codes and batches for staff. Deleted codes are not shown. */
export class CodeReader {
  constructor(private readonly orm: MikroORM) {}

  async code(tenantId: string, id: Id): Promise<Code | null> {
    if (!isId(id)) return null;
    return tenantEm(this.orm, tenantId).findOne(Code, { id, deletedAt: null }, { disableIdentityMap: true });
  }

  async batch(tenantId: string, id: Id): Promise<CodeBatch | null> {
    if (!isId(id)) return null;
    return tenantEm(this.orm, tenantId).findOne(CodeBatch, { id }, { disableIdentityMap: true });
  }

  /** Newest first, with the exact total. */
  async page(
    tenantId: string,
    filter: CodeFilter,
    page: { readonly offset: number; readonly size: number },
  ): Promise<{ total: number; items: Code[] }> {
    const ids = [filter.campaignId, filter.batchId].filter((id) => id !== null && id !== undefined);
    if (!ids.every(isId)) return { total: 0, items: [] };
    const [items, total] = await tenantEm(this.orm, tenantId).findAndCount(Code, conditionsOf(filter), {
      orderBy: { id: 'desc' },
      offset: page.offset,
      limit: page.size,
      disableIdentityMap: true,
    });
    return { total, items };
  }
}

function conditionsOf({ campaignId, batchId, status, part }: CodeFilter): FilterQuery<Code> {
  const conditions: FilterQuery<Code>[] = [{ deletedAt: null }];
  if (campaignId) conditions.push({ campaignId });
  if (batchId) conditions.push({ batchId });
  if (status) conditions.push(statusCondition(status));
  if (part) conditions.push(partCondition(part));
  return { $and: conditions };
}

function statusCondition(status: ShownCodeStatus): FilterQuery<Code> {
  const usedUp = { useLimit: { $gt: 0 }, [raw('used')]: { $gte: raw('use_limit') } };
  if (status === 'REDEEMED') return { status: 'ACTIVE', ...usedUp };
  return status === 'ACTIVE' ? { status, $not: usedUp } : { status };
}

/** The wildcards of LIKE mean themselves: no code holds one, so they find nothing. */
function partCondition(part: string): FilterQuery<Code> {
  const pattern = `%${part.toUpperCase().replace(/[\\%_]/g, String.raw`\$&`)}%`;
  return {
    $or: [
      { [raw('upper(code_text)')]: { $like: pattern } },
      { codeText: null, lastFour: { $like: pattern } },
    ],
  };
}
