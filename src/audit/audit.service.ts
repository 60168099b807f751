import type { FilterQuery, MikroORM } from '@mikro-orm/core';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm } from '../platform/database/orm.js';
import { filterBound } from '../platform/database/sql-values.js';
import { isId, type Id } from '../platform/ids.js';
import { AuditEntry } from './audit-entry.entity.js';
import { shownTexts } from './personal-seals.js';

export interface AuditFilter {
  readonly actorId?: string | null;
  readonly operation?: string | null;
  readonly targetType?: string | null;
  readonly targetId?: string | null;
  /** The first instant. */
  readonly from?: Date | null;
  /** The first instant that is too late. */
  readonly before?: Date | null;
}

/** What the staff of a tenant have changed. */
export class AuditService {
  /** @param orm where lists are read, which may take long */
  constructor(private readonly orm: MikroORM) {}

  /** Newest first, with the exact total where it is asked for. */
  async page(tenantId: string, filter: AuditFilter, page: PageRange): Promise<Page<AuditEntry>> {
    const found = await findPage(tenantEm(this.orm, tenantId), AuditEntry, conditionOf(filter), page);
    return { ...found, items: await this.shown(tenantId, found.items) };
  }

  async find(tenantId: string, entryId: Id): Promise<AuditEntry | null> {
    if (!isId(entryId)) return null;
    const em = tenantEm(this.orm, tenantId);
    const entry = await em.findOne(AuditEntry, { id: entryId }, { disableIdentityMap: true });
    if (entry === null) return null;
    const [shown = null] = await this.shown(tenantId, [entry]);
    return shown;
  }

  /** With the personal data of users who are not erased. */
  private async shown(tenantId: string, entries: readonly AuditEntry[]): Promise<AuditEntry[]> {
    const stored = entries.map(({ details }) => details);
    const texts = await shownTexts(tenantEm(this.orm, tenantId), tenantId, stored);
    return entries.map((entry, at) => Object.assign(entry, { details: texts[at] ?? entry.details }));
  }
}

function conditionOf({
  actorId,
  operation,
  targetType,
  targetId,
  from,
  before,
}: AuditFilter): FilterQuery<AuditEntry> {
  const [since, until] = [filterBound(from), filterBound(before)];
  const createdAt = { ...(since && { $gte: since }), ...(until && { $lt: until }) };
  return {
    ...(actorId && { actorId }),
    ...(operation && { operation }),
    ...(targetType && { targetType }),
    ...(targetId && { targetId }),
    ...((from ?? before) && { createdAt }),
  };
}
