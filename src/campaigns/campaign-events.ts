import type { OutboxDraft } from '../platform/outbox/outbox.js';
import type { Campaign } from './campaign.entity.js';

/** Tells of a change by staff, in its own transaction; copies elsewhere follow it by the version. */
export function campaignChanged(campaign: Pick<Campaign, 'id' | 'status' | 'version'>): OutboxDraft {
  const { id, status, version } = campaign;
  return {
    type: 'campaign_changed',
    userId: null,
    subjectId: id,
    payload: { campaignId: id, status, version },
  };
}
