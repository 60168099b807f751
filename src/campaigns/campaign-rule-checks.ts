import { isSet } from '../platform/assert.js';
import { Money, MONEY_MAX } from '../platform/decimal.js';
import { ExpressionFault } from '../platform/expressions/expression-fault.js';
import { DomainError } from '../platform/errors.js';
import { isQuantity } from '../rewards/calendar.js';
import { CONDITION_LANGUAGE } from '../rewards/condition-facts.js';
import type { RewardRuleFault, RewardTarget } from '../rewards/reward-handler.js';
import { readRewardRule, type RewardRule, type StoredRewardRule } from '../rewards/reward-rule.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { CampaignPorts } from './campaign-ports.js';
import type { CampaignRule } from './campaign-rule.js';
import type { Campaign } from './campaign.entity.js';
import type { CampaignRuleRefusal } from './campaign.errors.js';
import { faultOfForm, QUANTITY_MAX } from './reward-form.js';

/** Of all conditions of a campaign: they are evaluated one after the other on the way of a redemption. */
const RULE_STEPS_MAX = 20_000;

/** Knows what rewards name; implemented by the features that give them. */
export interface RewardTargets {
  find(tenantId: string, rule: StoredRewardRule): Promise<RewardTarget | null>;
}

/** Judges rules of campaigns by what they refer to. Redemptions rely on it: what is accepted here can be given. */
export class CampaignRuleChecks {
  constructor(
    private readonly targets: RewardTargets,
    private readonly productLines: ProductLineService,
    private readonly ports: Pick<CampaignPorts, 'checkCodes'>,
  ) {}

  /** @param count codes that are to be made by it at once */
  async assertRule(tenantId: string, rule: CampaignRule, count: number): Promise<void> {
    assertConditions(rule);
    this.ports.checkCodes(rule, Math.max(1, count));
    for (const [index, reward] of rule.rewardRules.entries()) {
      await this.assertReward(tenantId, readRewardRule(reward), [
        'input',
        'rule',
        'rewardRules',
        String(index),
      ]);
    }
    const [missing] = await this.productLines.missing(tenantId, rule.applicableProducts);
    if (missing !== undefined) {
      const field = ['input', 'rule', 'applicableProducts'];
      refuse('PRODUCT_LINE_NOT_FOUND', `The tenant has no product line ${JSON.stringify(missing)}.`, field);
    }
  }

  private async assertReward(tenantId: string, reward: RewardRule, field: readonly string[]): Promise<void> {
    const { type, unit, quantity } = reward;
    const fault = faultOfForm(reward);
    if (fault !== null) refuse(fault.code, fault.message, [...field, fault.field]);
    const target = await this.targets.find(tenantId, reward);
    if (target === null) {
      return refuse('REWARD_TARGET_NOT_FOUND', 'The tenant has nothing with this id to give.', [
        ...field,
        'targetId',
      ]);
    }
    if (target.fault !== null) {
      const { message, at } = FAULTS[target.fault];
      refuse(target.fault, message, [...field, at]);
    }
    if (quantity > QUANTITY_MAX[type]) {
      const message = `One reward of type ${type} gives at most ${QUANTITY_MAX[type]}.`;
      refuse('REWARD_QUANTITY_OUT_OF_RANGE', message, [...field, 'quantity']);
    }
    const effective = unit ?? target.unit;
    if (effective !== null && !isQuantity(effective, quantity)) {
      const message = `${quantity} × ${effective} is longer than a hundred years, which is the most that one reward gives.`;
      refuse('REWARD_QUANTITY_OUT_OF_RANGE', message, [...field, 'quantity']);
    }
  }
}

const FAULTS: Readonly<Record<RewardRuleFault, { readonly message: string; readonly at: string }>> = {
  REWARD_CURRENCY_NOT_FOUND: { message: 'The tenant has no currency with this code.', at: 'currency' },
  REWARD_AMOUNT_TOO_PRECISE: { message: 'The amount has more digits than its currency.', at: 'amount' },
};

/** Redemptions rely on it: what is accepted here reads declared facts only, and can be evaluated in good time. */
function assertConditions({ when, rewardRules }: CampaignRule): void {
  const field = ['input', 'rule'];
  const conditions = [
    { text: when, field: [...field, 'when'] },
    ...rewardRules.map((reward, index) => ({
      text: reward.when,
      field: [...field, 'rewardRules', String(index), 'when'],
    })),
  ];
  let steps = 0;
  for (const condition of conditions) {
    steps += stepsOf(condition.text, condition.field);
    if (steps <= RULE_STEPS_MAX) continue;
    const message = `The conditions of the campaign may take ${steps} steps for one user together; at most ${RULE_STEPS_MAX} are allowed.`;
    refuse('EXPRESSION_TOO_COSTLY', message, condition.field);
  }
}

/** What one evaluation takes at worst. */
function stepsOf(text: string | null | undefined, field: readonly string[]): number {
  if (!isSet(text)) return 0;
  const compiled = CONDITION_LANGUAGE.compile(text);
  if (!(compiled instanceof ExpressionFault)) return compiled.steps;
  // Only an evaluation fails in this way.
  if (compiled.code === 'EXPRESSION_FAILED') return 0;
  const { code, text: message, position } = compiled;
  throw new DomainError<CampaignRuleRefusal>(code, message, { field, position });
}

type Totals = Pick<Campaign, 'rule' | 'budgetUses' | 'userLimitTotal' | 'userLimitDay'>;

/**
 * Refuses values of rewards that add up to more than an amount can state: in one redemption, or in as many as a limit
 * allows. To be asked with the campaign as it would stand, also where only a limit changes.
 */
export function assertTotals({ rule, ...limits }: Totals): void {
  const sum = rule.rewardRules.reduce((total, { value }) => total.add(value), new Money(0));
  if (sum.gt(MONEY_MAX)) {
    const message = `The rewards of one redemption are worth ${sum.toFixed()} together; at most ${MONEY_MAX} can be counted.`;
    refuse('REWARD_VALUE_OUT_OF_RANGE', message, ['input', 'rule', 'rewardRules']);
  }
  for (const limit of ['userLimitTotal', 'userLimitDay', 'budgetUses'] as const) {
    if (sum.mul(limits[limit]).lte(MONEY_MAX)) continue;
    const message = `${limits[limit]} redemptions worth ${sum.toFixed()} each come to more than ${MONEY_MAX}, which is the most that can be counted. Lower ${limit} or the values of the rewards.`;
    refuse(limit === 'budgetUses' ? 'BUDGET_OUT_OF_RANGE' : 'LIMIT_OUT_OF_RANGE', message, ['input', limit]);
  }
}

function refuse(code: CampaignRuleRefusal, message: string, field: readonly string[]): never {
  throw new DomainError(code, message, { field });
}
