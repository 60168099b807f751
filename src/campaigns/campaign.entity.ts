import { defineEntity, p } from '@mikro-orm/core';
import { TENANT_TYPES, type TenantType } from '../tenancy/tenant.entity.js';
import {
  countColumn,
  idColumn,
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
} from '../platform/database/columns.js';
import { UTC } from '../platform/zoned-time.js';
import type { CampaignRule } from './campaign-rule.js';

export const CAMPAIGN_STATUSES = ['DRAFT', 'ACTIVE', 'PAUSED', 'ENDED'] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

export const CODE_VISIBILITIES = ['VISIBLE', 'HASHED'] as const;
export type CodeVisibility = (typeof CODE_VISIBILITIES)[number];

const CampaignSchema = defineEntity({
  name: 'Campaign',
  tableName: 'campaign',
  uniques: [{ name: 'uq_campaign__tenant_key', properties: ['tenantId', 'idempotencyKey'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    name: p.string().length(64),
    /** Kept redundantly, so that a campaign can be shown while the tenant directory is down. */
    tenantName: p.string().length(64),
    tenantType: p.enum(() => TENANT_TYPES).$type<TenantType>(),
    /** Of the tenant, kept here too: a commit reads it with the lock that a change of the zone waits for. */
    timeZone: p.string().length(64).default(UTC),
    status: p.enum(() => CAMPAIGN_STATUSES).$type<CampaignStatus>(),
    /** The window is half-open: starts_at <= t < ends_at. */
    startsAt: instantColumn().nullable(),
    endsAt: instantColumn().nullable(),
    rule: p.json().$type<CampaignRule>(),
    codeVisibility: p.enum(() => CODE_VISIBILITIES).$type<CodeVisibility>(),
    /** Redemptions of this campaign a user may make in total; 0 means unlimited. */
    userLimitTotal: smallCountColumn(),
    /** Redemptions of this campaign a user may make on one day of the tenant's time zone; 0 means unlimited. */
    userLimitDay: smallCountColumn(),
    /** Redemptions this campaign may have in total; 0 means unlimited. */
    budgetUses: countColumn(),
    /** Sum of reward values this campaign may give; 0 means unlimited. */
    budgetValue: moneyColumn(),
    /** Raised by every change, so that older copies are recognised. */
    version: smallCountColumn(),
    /** As {@link keyDigest} makes it. */
    idempotencyKey: p.string().length(64).nullable(),
    /** Digest of the creation's arguments: the same key with others is refused. */
    argumentsDigest: p.character().length(64).nullable(),
    createdAt: instantColumn(),
    /** A draft that staff threw away; its idempotency key stays taken. */
    deletedAt: instantColumn().nullable(),
  },
});
export class Campaign extends CampaignSchema.class {}
CampaignSchema.setClass(Campaign);
