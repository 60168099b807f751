import type { MikroORM } from '@mikro-orm/core';
import { CampaignUsage } from '../../src/campaigns/campaign-usage.entity.js';
import { tenantEm, type Em } from '../../src/platform/database/orm.js';
import { TENANT_FILTER } from '../../src/platform/database/tenant-filter.js';

function tenantOf(em: Em): string {
  return em.getFilterParams<{ tenantId: string }>(TENANT_FILTER).tenantId;
}

/** Adds row 1, 2, … of the entity manager's tenant: the least that a transaction can count in. */
export async function insertRow(em: Em, row: number, uses = 0): Promise<void> {
  await em.insert(CampaignUsage, {
    tenantId: tenantOf(em),
    campaignId: String(row),
    userId: '0',
    day: 0,
    uses,
    value: '0',
  });
}

export async function add(em: Em, row: number, uses: number): Promise<void> {
  await em.execute('update campaign_usage set uses = uses + ? where tenant_id = ? and campaign_id = ?', [
    uses,
    tenantOf(em),
    row,
  ]);
}

/** What is committed, by row. */
export async function storedRows(orm: MikroORM, tenantId: string): Promise<Record<string, number>> {
  const rows = await tenantEm(orm, tenantId).find(CampaignUsage, {}, { orderBy: { campaignId: 'asc' } });
  return Object.fromEntries(rows.map((row) => [row.campaignId, row.uses]));
}
