import { LRUCache } from 'lru-cache';
import { isSet } from '../platform/assert.js';
import { atMost } from '../platform/cache-size.js';
import { ExpressionFault } from '../platform/expressions/expression-fault.js';
import type { Expression } from '../platform/expressions/expression-language.js';
import type { Id } from '../platform/ids.js';
import { canonicalText } from '../platform/text.js';
import { CONDITION_LANGUAGE, type ConditionFact, type ConditionFacts } from '../rewards/condition-facts.js';
import type { CampaignRule } from './campaign-rule.js';
import type { Campaign } from './campaign.entity.js';

const CAMPAIGNS_MAX = 2000;

/** What conditions ask, of whom and when. */
export interface FactsWanted {
  readonly facts: ReadonlySet<ConditionFact>;
  readonly currencies: ReadonlySet<string>;
  /** "0" for a campaign that there is not yet. */
  readonly campaignId: Id;
  readonly productCode: string;
  readonly deviceId: string | null;
  readonly nowMs: number;
  readonly timeZone: string;
}

/** A condition that could not be evaluated; it counts as false. */
export interface ConditionFault {
  /** The place of the reward; null for the condition of the campaign. */
  readonly rewardNo: number | null;
  readonly fault: ExpressionFault;
}

/** What the conditions of a campaign come to for one user. */
export interface Judged {
  /** Whether the user may redeem. */
  readonly isEligible: boolean;
  /** The places of the rewards that the user gets. */
  readonly rewardNos: readonly number[];
  readonly faults: readonly ConditionFault[];
}

type Compiled = Expression<ConditionFact> | ExpressionFault;

interface RewardCondition {
  readonly userTag: string | null;
  readonly when: Compiled | null;
}

/** The conditions of a rule, ready to be evaluated. */
export class RuleConditions {
  /** What they read. */
  readonly facts: ReadonlySet<ConditionFact>;
  /** Currencies whose sums they read. */
  readonly currencies: ReadonlySet<string>;
  private readonly when: Compiled | null;
  private readonly rewards: readonly RewardCondition[];

  constructor({ when, rewardRules }: Pick<CampaignRule, 'when' | 'rewardRules'>) {
    this.when = compiled(when);
    this.rewards = rewardRules.map((reward) => ({
      userTag: reward.condition === null ? null : canonicalText(reward.condition.userTag),
      when: compiled(reward.when),
    }));
    const expressions = [this.when, ...this.rewards.map((reward) => reward.when)].filter(isExpression);
    const byTag: ConditionFact[] = this.rewards.some(({ userTag }) => userTag !== null) ? ['userTags'] : [];
    this.facts = new Set([...expressions.flatMap(({ facts }) => [...facts]), ...byTag]);
    this.currencies = new Set(expressions.flatMap((expression) => [...expression.keysOf('spent')]));
  }

  /**
   * Evaluates all of them once. Never throws: a condition that cannot be evaluated counts as false, and is told. Tags and
   * conditions are stored in one spelling (NFC); rows from before that was so are compared in it, too.
   */
  judge(known: ConditionFacts): Judged {
    const faults: ConditionFault[] = [];
    const userTags = ((known.userTags ?? []) as readonly string[]).map(canonicalText);
    const [facts, tags] = [{ ...known, userTags }, new Set(userTags)];
    const holds = (condition: Compiled | null, rewardNo: number | null): boolean => {
      if (condition === null) return true;
      const answer = isExpression(condition) ? condition.holds(facts) : condition;
      if (typeof answer === 'boolean') return answer;
      faults.push({ rewardNo, fault: answer });
      return false;
    };
    const isEligible = holds(this.when, null);
    const rewardNos = [...this.rewards.keys()].filter((rewardNo) => {
      const { userTag = null, when = null } = this.rewards[rewardNo] ?? {};
      return (userTag === null || tags.has(userTag)) && holds(when, rewardNo);
    });
    return { isEligible, rewardNos, faults };
  }
}

/** Compiles the conditions of campaigns, once for each version of a campaign. */
export class CampaignConditions {
  private readonly cache = new LRUCache<string, RuleConditions>(atMost(CAMPAIGNS_MAX));

  of(tenantId: string, { id, version, rule }: Pick<Campaign, 'id' | 'version' | 'rule'>): RuleConditions {
    const key = `${tenantId}|${id}|${version}`;
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const conditions = new RuleConditions(rule);
    this.cache.set(key, conditions);
    return conditions;
  }
}

/** A text that this version does not accept was saved by another one. */
function compiled(text: string | null | undefined): Compiled | null {
  return isSet(text) ? CONDITION_LANGUAGE.compile(text) : null;
}

function isExpression(condition: Compiled | null): condition is Expression<ConditionFact> {
  return condition !== null && !(condition instanceof ExpressionFault);
}
