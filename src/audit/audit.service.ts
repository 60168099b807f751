import type { FilterQuery, MikroORM } from '@mikro-orm/core';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm } from '../platform/database/orm.js';
import { isId, type Id } from '../platform/ids.js';
import { AuditEntry } from './audit-entry.entity.js';

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
    return findPage(tenantEm(this.orm, tenantId), AuditEntry, conditionOf(filter), page);
  }

  async find(tenantId: string, entryId: Id): Promise<AuditEntry | null> {
    if (!isId(entryId)) return null;
    return tenantEm(this.orm, tenantId).findOne(AuditEntry, { id: entryId }, { disableIdentityMap: true });
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
  const createdAt = { ...(from && { $gte: from }), ...(before && { $lt: before }) };
  return {
    ...(actorId && { actorId }),
    ...(operation && { operation }),
    ...(targetType && { targetType }),
    ...(targetId && { targetId }),
    ...((from ?? before) && { createdAt }),
  };
}
