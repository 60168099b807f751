import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, smallCountColumn, tenantColumn } from '../../platform/database/columns.js';
import { REDEMPTION_ROW_STATUSES } from './redemption.entity.js';

/** How many redemptions of a batch and a day are alike in all that lists go by; see `redemption-totals.ts`. */
const RedemptionTotalSchema = defineEntity({
  name: 'RedemptionTotal',
  tableName: 'redemption_total',
  properties: {
    tenantId: tenantColumn().primary(),
    campaignId: idColumn().primary(),
    batchId: idColumn().primary(),
    /** Of the claim: days since 1970, UTC. */
    day: smallCountColumn().primary(),
    /** Which rewards of the campaign were given: bit n for the one at place n of its rule. */
    rewards: smallCountColumn().primary(),
    status: p.enum(() => REDEMPTION_ROW_STATUSES).primary(),
    total: p.bigint('number'),
  },
});
export class RedemptionTotal extends RedemptionTotalSchema.class {}
RedemptionTotalSchema.setClass(RedemptionTotal);
