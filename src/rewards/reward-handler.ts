import type { Id } from '../platform/ids.js';
import type { Em } from '../platform/database/orm.js';
import type { RewardRule, RewardType } from './reward-rule.js';
import type { TimeUnit } from './time-unit.js';

/** Why a reward cannot be given; step 10 of the order of refusals. */
export const REWARD_REFUSALS = [
  'PLAN_SOLD_OUT',
  'PLAN_QUOTA_REACHED',
  'COUPON_NOT_ISSUABLE',
  'CURRENCY_NOT_AVAILABLE',
  'ACCOUNT_HALTED',
  'REWARD_HAS_NO_EFFECT',
] as const;
export type RewardRefusal = (typeof REWARD_REFUSALS)[number];

/** One reward of one redemption. */
export interface RewardApplication {
  readonly redemptionId: Id;
  /** The redemption's order. */
  readonly orderId: Id;
  /** Position of the rule in the campaign. */
  readonly rewardNo: number;
  readonly userId: Id;
  readonly rule: RewardRule;
  /** By Redis' clock; what "now" means for this reward. */
  readonly claimedAtMs: number;
}

/** The time that a reward added to what it was given to. */
export interface GrantedPeriod {
  readonly from: Date;
  /** Null means that it never ends. */
  readonly until: Date | null;
}

export interface RewardOutcome {
  /** The row that was made or changed: a subscription, a coupon, an entry. */
  readonly targetId: Id;
  /** Of what has a duration: kept with the grant, so that exactly this can be taken back. */
  readonly period?: GrantedPeriod;
}

/** What a reward would come to if it were given now. */
export interface RewardForecast {
  /** How long one quantity lasts; null for what has no duration. */
  readonly unit: TimeUnit | null;
  /** When what was given ends; null if never. */
  readonly expiresAt: Date | null;
  /** False where giving it would change nothing. */
  readonly hasEffect: boolean;
}

/**
 * The state that a batch of rewards needs, loaded and locked. Decides and applies in memory, one after another,
 * so that two rewards of one user see each other; {@link flush} then writes everything in bulk.
 */
export interface RewardSession {
  /** Whether it can be given as things stand now. Changes nothing. */
  refusal(application: RewardApplication): RewardRefusal | null;
  /** Whether giving it would change anything; a code is not spent for nothing. Asked of rewards that can be given. */
  hasEffect(application: RewardApplication): boolean;
  /** Gives it, in memory. Only after every reward of the redemption has been found possible. */
  apply(application: RewardApplication): RewardOutcome;
  flush(): Promise<void>;
}

/** A reward that was granted and is to be taken back. */
export interface RewardReversal {
  readonly redemptionId: Id;
  /** The redemption's order. */
  readonly orderId: Id;
  readonly rewardNo: number;
  readonly userId: Id;
  /** As the {@link RewardOutcome} named it. */
  readonly targetId: Id;
  readonly rule: RewardRule;
  readonly grantedAt: Date;
  /** As the {@link RewardOutcome} had it; null where it has no duration, or a former version did not keep it. */
  readonly period: GrantedPeriod | null;
}

/** What has been spent already refuses the reversal (REWARD_SPENT), or becomes a stated debt. */
export const SPENT_REWARDS = ['REFUSE', 'DEBT'] as const;
export type SpentRewards = (typeof SPENT_REWARDS)[number];

export interface ReversedReward {
  /** What could not be taken back, in words such as "12.50 USD"; at most 100 characters. Null when all was. */
  readonly debt: string | null;
}

/** Who was given what; after a commit, for caches. */
export interface GivenReward {
  readonly userId: Id;
  /** What the rule named. */
  readonly sourceId: string;
}

/** What can be wrong with a rule though what it names is there. */
export const REWARD_RULE_FAULTS = ['REWARD_CURRENCY_NOT_FOUND', 'REWARD_AMOUNT_TOO_PRECISE'] as const;
export type RewardRuleFault = (typeof REWARD_RULE_FAULTS)[number];

/** What a reward names, as far as a rule depends on it. */
export interface RewardTarget {
  /**
   * The unit of a rule that names none; null for what has no duration. It never changes, so what is checked once holds
   * for ever.
   */
  readonly unit: TimeUnit | null;
  /** Refused when the campaign is saved. */
  readonly fault: RewardRuleFault | null;
}

/** By the type of reward that they give. */
export type RewardHandlers = ReadonlyMap<RewardType, RewardHandler>;

/** What a feature implements so that campaigns can give its goods. */
export interface RewardHandler {
  readonly type: RewardType;
  /** What a rule names by its id, for the checks of a campaign; null when there is no such thing. */
  target(tenantId: string, rule: RewardRule): Promise<RewardTarget | null>;
  /**
   * Before the claim, from cached or plain reads: saves a claim that would be refused. The session decides.
   * REWARD_HAS_NO_EFFECT when that is known of all these rules; no read is made for rules that hardly ever come to it.
   */
  precheck(
    tenantId: string,
    userId: Id,
    rules: readonly RewardRule[],
    nowMs: number,
  ): Promise<RewardRefusal | null>;
  /** For previews: what each of these rules would come to, given in this order. None of them was refused by `precheck`. */
  forecast(
    tenantId: string,
    userId: Id,
    rules: readonly RewardRule[],
    nowMs: number,
  ): Promise<RewardForecast[]>;
  /** Inside the transaction, with the users' rows locked: loads and locks in primary-key order, a kind a statement. */
  begin(em: Em, tenantId: string, applications: readonly RewardApplication[]): Promise<RewardSession>;
  /**
   * Takes rewards of one redemption back, once. Inside the transaction, with the user's row locked: locks what it needs
   * in primary-key order, and writes by reversing entries where there is a ledger. Answers in the order of `reversals`.
   * @throws DomainError REWARD_SPENT, with its `rewardNo`, where `spent` is REFUSE and something has been spent
   */
  reverse(
    em: Em,
    tenantId: string,
    reversals: readonly RewardReversal[],
    spent: SpentRewards,
    now: Date,
  ): Promise<ReversedReward[]>;
  /** After the commit: drops what caches hold of what was given. Never before, and never throws. */
  afterCommit(tenantId: string, given: readonly GivenReward[]): Promise<void>;
}
