import type { CampaignStatus } from './campaigns.gql';

/** In the order of a campaign's life. */
export const STATUSES = ['DRAFT', 'ACTIVE', 'PAUSED', 'ENDED'] as const satisfies readonly CampaignStatus[];
