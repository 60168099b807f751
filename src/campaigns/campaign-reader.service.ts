import type { MikroORM } from '@mikro-orm/core';
import { isId, type Id } from '../platform/ids.js';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { keyDigest } from '../platform/key-digest.js';
import { tenantEm } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import { Campaign, type CampaignStatus } from './campaign.entity.js';

export interface CampaignFilter {
  readonly status?: CampaignStatus | null;
}

/** Reads campaigns; for redemptions from copies. The commit decides by the row itself. */
export class CampaignReader {
  private readonly cache: ReadCache<Campaign>;

  /** @param listOrm where lists are read, which may take long */
  constructor(
    private readonly orm: MikroORM,
    private readonly listOrm: MikroORM = orm,
  ) {
    this.cache = new ReadCache(async (tenantId, key) => this.read(tenantId, key.split('|')[0] ?? ''));
  }

  /**
   * From a copy of the tenant's present epoch, kept for a second. Every change of a campaign raises the epoch before it
   * is answered, so it is seen at once; where Redis does not take the new epoch, within that second.
   */
  async find(tenantId: string, id: Id, epoch: string): Promise<Campaign | null> {
    return this.cache.find(tenantId, `${id}|${epoch}`);
  }

  /** As it stands now, for staff. */
  async read(tenantId: string, id: Id): Promise<Campaign | null> {
    if (!isId(id)) return null;
    return tenantEm(this.orm, tenantId).findOne(
      Campaign,
      { id, deletedAt: null },
      { disableIdentityMap: true },
    );
  }

  /** The campaign that was made under an idempotency key. */
  async byKey(tenantId: string, key: string): Promise<Campaign | null> {
    return tenantEm(this.orm, tenantId).findOne(
      Campaign,
      { idempotencyKey: keyDigest(tenantId, 'campaign', key), deletedAt: null },
      { disableIdentityMap: true },
    );
  }

  /** Newest first, with the exact total. */
  async page(tenantId: string, filter: CampaignFilter, page: PageRange): Promise<Page<Campaign>> {
    const where = { deletedAt: null, ...(filter.status && { status: filter.status }) };
    return findPage(tenantEm(this.listOrm, tenantId), Campaign, where, page);
  }

  /** How many campaigns are ACTIVE, whether or not their window is open. */
  async activeCount(tenantId: string): Promise<number> {
    return tenantEm(this.listOrm, tenantId).count(Campaign, { status: 'ACTIVE', deletedAt: null });
  }
}
