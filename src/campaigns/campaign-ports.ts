import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import type { CampaignRule } from './campaign-rule.js';
import type { Campaign } from './campaign.entity.js';

/** What campaigns ask of the feature that makes codes, which comes after them and fills it in. */
export interface CampaignPorts {
  /** Makes a campaign with its first codes. */
  create(
    tenantId: string,
    input: unknown,
  ): Promise<{
    readonly campaign: Campaign;
    readonly batchId: Id | null;
    readonly codes: readonly string[] | null;
  }>;
  /** Takes a campaign's codes out of use for good, in the transaction of the caller, who has locked the campaign. */
  voidCodes(em: Em, tenantId: string, campaignId: Id): Promise<void>;
  /** No code of a campaign that has ended is redeemed any more; in the transaction of the caller, who has locked the campaign. */
  codesEnded(em: Em, tenantId: string, campaignId: Id): Promise<void>;
  /** After the commit of a change; the outbox tells it again, should that fail. */
  changed(tenantId: string): Promise<void>;
  /** Refuses a rule whose codes cannot be made, or could be guessed. */
  checkCodes(rule: CampaignRule, count: number): void;
}
