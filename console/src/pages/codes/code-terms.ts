import type { CodeEffectiveStatus } from './codes.gql';

export const EFFECTIVE_STATUSES = [
  'ACTIVE',
  'USED_UP',
  'DISABLED',
  'EXPIRED',
  'NOT_STARTED',
  'ASSIGNED',
  'INACTIVE',
  'FROZEN',
  'VOIDED',
  'BATCH_NOT_READY',
  'CAMPAIGN_DRAFT',
  'CAMPAIGN_NOT_STARTED',
  'CAMPAIGN_PAUSED',
  'CAMPAIGN_ENDED',
] as const satisfies readonly CodeEffectiveStatus[];

/** How often a code was used, of how often it may be. */
export const usesText = ({ used, useLimit }: { readonly used: number; readonly useLimit: number }): string =>
  `${used} of ${useLimit === 0 ? 'unlimited' : useLimit}`;
