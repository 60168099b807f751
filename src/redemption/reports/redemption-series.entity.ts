import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, idColumn, instantColumn, tenantColumn } from '../../platform/database/columns.js';
import { SERIES_STEPS } from './series-points.js';

/**
 * How many redemptions had an outcome within a minute, an hour or a day. The rows of a campaign 0 and of a product line
 * '' stand for all, so that every question is answered by one range of the primary key. Moved behind the commit, by
 * `series-counter.ts` and `refusal-counter.ts`.
 */
const RedemptionSeriesPointSchema = defineEntity({
  name: 'RedemptionSeriesPoint',
  tableName: 'redemption_series',
  // Finds the oldest of a step.
  indexes: [{ name: 'ix_redemption_series__age', properties: ['step', 'startsAt'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    step: p.enum(() => SERIES_STEPS).primary(),
    campaignId: idColumn().primary(),
    productCode: p.string().length(16).primary(),
    startsAt: instantColumn().primary(),
    /** COMMITTED, by the instant of the claim; REVERSED, by that of the reversal; or the code of a refusal. */
    outcome: p.string().length(40).primary(),
    total: p.bigint('number'),
  },
});
export class RedemptionSeriesPoint extends RedemptionSeriesPointSchema.class {}
RedemptionSeriesPointSchema.setClass(RedemptionSeriesPoint);

/**
 * Up to which event the redemptions of a tenant are in the series. It moves in the transaction that counts, so an event
 * that is handled twice counts once.
 */
const RedemptionSeriesCursorSchema = defineEntity({
  name: 'RedemptionSeriesCursor',
  tableName: 'redemption_series_cursor',
  properties: { tenantId: tenantColumn().primary(), seq: countColumn() },
});
export class RedemptionSeriesCursor extends RedemptionSeriesCursorSchema.class {}
RedemptionSeriesCursorSchema.setClass(RedemptionSeriesCursor);
