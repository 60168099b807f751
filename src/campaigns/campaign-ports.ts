import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import type { ConditionFacts } from '../rewards/condition-facts.js';
import type { FactsWanted } from './campaign-conditions.service.js';
import type { CampaignRule } from './campaign-rule.js';
import type { Campaign } from './campaign.entity.js';

/** Codes as they would be made. */
export interface CodesPreview {
  /** Made up now, and not stored. */
  readonly samples: readonly string[];
  /** How many different codes the format has, in digits. */
  readonly differentCodes: string;
  /** Live codes of the tenant in formats that overlap with this one. */
  readonly liveBeside: number;
  /** One guess in this number would hit a live code. */
  readonly guessesPerHit: number;
  /** The least that is allowed. */
  readonly guessesPerHitMin: number;
  /** How many codes of this format are possible beside the others. */
  readonly codesPossible: number;
}

/** What campaigns ask of features that come after them and fill it in: of codes, and of redemptions where it reads facts. */
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
  /** What codes of a rule would look like, and how safe they would be from guesses. @throws DomainError CODE_SPACE_TOO_SMALL */
  previewCodes(tenantId: string, rule: CampaignRule, count: number): Promise<CodesPreview>;
  /** What conditions ask of users, by user; users who may not redeem are left out. */
  readFacts(
    tenantId: string,
    userIds: readonly Id[],
    wanted: FactsWanted,
  ): Promise<ReadonlyMap<Id, ConditionFacts>>;
  /** Refuses a rule whose codes cannot be made, or could be guessed. */
  checkCodes(rule: CampaignRule, count: number): void;
}
