import { LockMode } from '@mikro-orm/core';
import { Campaign } from '../campaigns/campaign.entity.js';
import type { Em } from '../platform/database/orm.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';

export type OpenCampaignRefusal = 'CAMPAIGN_NOT_FOUND' | 'CAMPAIGN_ENDED';

/**
 * A campaign that codes can be added to, locked against a change of its state until they are there.
 * @param lockMode NONE where codes are locked later, because all transactions lock codes before campaigns
 * @throws DomainError an {@link OpenCampaignRefusal}
 */
export async function openCampaign(
  em: Em,
  id: Id,
  lockMode: LockMode.PESSIMISTIC_READ | LockMode.NONE = LockMode.PESSIMISTIC_READ,
): Promise<Campaign> {
  const options = { lockMode, disableIdentityMap: true };
  const campaign = isId(id) ? await em.findOne(Campaign, { id, deletedAt: null }, options) : null;
  if (campaign === null) return refuse('CAMPAIGN_NOT_FOUND', 'The tenant has no campaign with this id.');
  if (campaign.status === 'ENDED') refuse('CAMPAIGN_ENDED', 'The campaign has ended.');
  return campaign;
}

function refuse(code: OpenCampaignRefusal, message: string): never {
  throw new DomainError(code, message, { field: ['input', 'campaignId'] });
}
