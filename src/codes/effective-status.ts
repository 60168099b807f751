import type { Campaign } from '../campaigns/campaign.entity.js';
import { effectiveEnd } from './batch-gate.service.js';
import type { CodeBatch } from './code-batch.entity.js';
import { isSet } from '../platform/assert.js';
import type { Code } from './code.entity.js';

/**
 * What a redemption at this instant would meet, in order of precedence: campaign, batch, code, as the refusals of a
 * redemption. ASSIGNED can be redeemed by one user, ACTIVE by all.
 */
const CAMPAIGN_STATES = [
  'CAMPAIGN_ENDED',
  'CAMPAIGN_DRAFT',
  'CAMPAIGN_PAUSED',
  'CAMPAIGN_NOT_STARTED',
] as const;
const BATCH_STATES = ['VOIDED', 'FROZEN', 'BATCH_NOT_READY'] as const;
export const CODE_STATES = [
  'DISABLED',
  'INACTIVE',
  'NOT_STARTED',
  'EXPIRED',
  'USED_UP',
  'ASSIGNED',
  'ACTIVE',
] as const;
export const EFFECTIVE_STATUS_DESCRIPTION =
  'The state that a redemption would find now, in order of precedence: of the campaign, of the batch, of the code. ASSIGNED can be redeemed by one user, ACTIVE by all.';
export const EFFECTIVE_STATUSES = [...CAMPAIGN_STATES, ...BATCH_STATES, ...CODE_STATES] as const;
type CampaignState = (typeof CAMPAIGN_STATES)[number];
/** A batch that awaits its activation makes its codes INACTIVE, as each can be by itself. */
type BatchState = (typeof BATCH_STATES)[number] | 'INACTIVE';
export type CodeState = (typeof CODE_STATES)[number];
export type EffectiveStatus = (typeof EFFECTIVE_STATUSES)[number];

export type CampaignFacts = Pick<Campaign, 'id' | 'status' | 'startsAt' | 'endsAt'>;
export type BatchFacts = Pick<
  CodeBatch,
  'id' | 'campaignId' | 'status' | 'frozenAt' | 'voidedAt' | 'awaitsActivation' | 'extendedTo'
>;
export type CodeFacts = Pick<
  Code,
  'status' | 'useLimit' | 'used' | 'startsAt' | 'expiresAt' | 'assignedUserId'
>;

export function effectiveStatusOf(
  code: CodeFacts,
  batch: BatchFacts,
  campaign: CampaignFacts,
  nowMs: number,
): EffectiveStatus {
  return campaignState(campaign, nowMs) ?? batchState(batch) ?? codeState(code, batch, nowMs);
}

/** Null while the campaign runs. */
export function campaignState(campaign: CampaignFacts, nowMs: number): CampaignState | null {
  const { status } = campaign;
  if (status === 'ENDED' || !isBefore(nowMs, campaign.endsAt)) return 'CAMPAIGN_ENDED';
  if (status === 'DRAFT') return 'CAMPAIGN_DRAFT';
  if (status === 'PAUSED') return 'CAMPAIGN_PAUSED';
  return hasCome(nowMs, campaign.startsAt) ? null : 'CAMPAIGN_NOT_STARTED';
}

/** The same as {@link isBatchBlocked}, with the reason. */
export function batchState({ status, voidedAt, frozenAt, awaitsActivation }: BatchFacts): BatchState | null {
  if (isSet(voidedAt)) return 'VOIDED';
  if (isSet(frozenAt)) return 'FROZEN';
  if (status !== 'READY') return 'BATCH_NOT_READY';
  return awaitsActivation ? 'INACTIVE' : null;
}

/** The same as {@link CODE_STATE_SQL} says of rows. */
function codeState(code: CodeFacts, batch: BatchFacts, nowMs: number): CodeState {
  if (code.status !== 'ACTIVE') return code.status;
  if (!hasCome(nowMs, code.startsAt)) return 'NOT_STARTED';
  if (!isBefore(nowMs, effectiveEnd(code, batch))) return 'EXPIRED';
  if (code.useLimit > 0 && code.used >= code.useLimit) return 'USED_UP';
  return code.assignedUserId === null || code.assignedUserId === undefined ? 'ACTIVE' : 'ASSIGNED';
}

function hasCome(nowMs: number, start: Date | null | undefined): boolean {
  return nowMs >= (start?.getTime() ?? Number.NEGATIVE_INFINITY);
}

function isBefore(nowMs: number, end: Date | null | undefined): boolean {
  return nowMs < (end?.getTime() ?? Number.POSITIVE_INFINITY);
}

const STARTED = "status = 'ACTIVE' and (starts_at is null or starts_at <= :now)";
/** Of `:extended`, the batches that run on whatever their codes say, all are current that have begun. */
const CURRENT = `${STARTED} and (expires_at is null or expires_at > :now or batch_id in (:extended))`;

/** The same as {@link codeState}, of rows. Each row fits exactly one. */
export const CODE_STATE_SQL: Readonly<Record<CodeState, string>> = {
  DISABLED: "status = 'DISABLED'",
  INACTIVE: "status = 'INACTIVE'",
  NOT_STARTED: "status = 'ACTIVE' and starts_at > :now",
  EXPIRED: `${STARTED} and expires_at <= :now and batch_id not in (:extended)`,
  USED_UP: `${CURRENT} and :used_up`,
  ASSIGNED: `${CURRENT} and :assigned and :use_left`,
  ACTIVE: `${CURRENT} and :unassigned and :use_left`,
};
