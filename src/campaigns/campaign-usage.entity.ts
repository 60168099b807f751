import { defineEntity } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  smallCountColumn,
  tenantColumn,
  totalColumn,
} from '../platform/database/columns.js';

/**
 * Counters behind a campaign's budget and user limits. Rows exist only for campaigns that have such a limit:
 * (campaign, 0, 0) for the budget, (campaign, user, 0) and (campaign, user, day) for a user.
 */
const CampaignUsageSchema = defineEntity({
  name: 'CampaignUsage',
  tableName: 'campaign_usage',
  properties: {
    tenantId: tenantColumn().primary(),
    campaignId: idColumn().primary(),
    /** 0 stands for all users together. */
    userId: idColumn().primary(),
    /** The number of the date in the tenant's time zone, days since 1970-01-01; 0 stands for all days together. */
    day: smallCountColumn().primary(),
    uses: countColumn(),
    value: totalColumn(),
  },
});
export class CampaignUsage extends CampaignUsageSchema.class {}
CampaignUsageSchema.setClass(CampaignUsage);
