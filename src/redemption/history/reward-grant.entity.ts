import { defineEntity, p } from '@mikro-orm/core';
import { REWARD_TYPES, type RewardType } from '../../rewards/reward-rule.js';
import { idColumn, instantColumn, moneyColumn, tenantColumn } from '../../platform/database/columns.js';

export const GRANT_STATUSES = ['GRANTED', 'REVERSED'] as const;
export type GrantStatus = (typeof GRANT_STATUSES)[number];

/** The proof that a reward of a redemption was given. The primary key allows it once. */
const RewardGrantSchema = defineEntity({
  name: 'RewardGrant',
  tableName: 'reward_grant',
  properties: {
    tenantId: tenantColumn().primary(),
    redemptionId: idColumn().primary(),
    /** Position of the reward in the campaign's rule when the code was claimed. */
    rewardNo: p.tinyint().unsigned().primary(),
    type: p.enum(() => REWARD_TYPES).$type<RewardType>(),
    status: p.enum(() => GRANT_STATUSES).$type<GrantStatus>(),
    /** What the rule named: a plan, a coupon template, a facility; 0 for points. */
    sourceId: p.string().length(64),
    /** What was made or changed: a subscription, a coupon, an entry. */
    targetId: idColumn(),
    value: moneyColumn(),
    grantedAt: instantColumn(),
    /** The time that a subscription got; null for other rewards, and for those of former versions. */
    periodFrom: instantColumn().nullable(),
    /** Null with a beginning: it never ends. */
    periodUntil: instantColumn().nullable(),
    /** Of a REVERSED one: what could not be taken back. */
    debt: p.string().length(100).nullable(),
  },
});
export class RewardGrant extends RewardGrantSchema.class {}
RewardGrantSchema.setClass(RewardGrant);
