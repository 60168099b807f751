import { present } from '../platform/assert.js';
import type { Em } from '../platform/database/orm.js';
import { DomainError } from '../platform/errors.js';
import { compareIds, isId, sortedIds, type Id } from '../platform/ids.js';
import { addUnits } from '../rewards/calendar.js';
import type {
  GrantedPeriod,
  ReversedReward,
  RewardReversal,
  SpentRewards,
} from '../rewards/reward-handler.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import { returnInventory } from './plan-inventory.js';
import type { SubscriptionState } from './subscription-grant.js';
import { loadStates, lockPlans } from './subscription-rows.js';
import { Subscription } from './subscription.entity.js';
import { spentTime, takenBack } from './taken-back.js';

/** Takes back what grants of one redemption gave to subscriptions. */
export class SubscriptionReversal {
  private readonly states = new Map<Id, SubscriptionState>();
  private readonly changed = new Set<Id>();
  /** Those that the grants started, and whether they hold one of their plan's inventory. */
  private readonly started = new Map<Id, Pick<Subscription, 'holdsInventory'>>();
  private readonly units = new Map<Id, TimeUnit>();

  constructor(
    private readonly em: Em,
    private readonly tenantId: string,
    private readonly spent: SpentRewards,
    private readonly now: Date,
  ) {}

  /** @throws DomainError REWARD_SPENT */
  async run(reversals: readonly RewardReversal[]): Promise<ReversedReward[]> {
    await this.load(reversals);
    const debts = new Map<number, string | null>();
    // What was given last goes first, as one extension rests on the other.
    for (const reversal of reversals.toSorted((a, b) => b.rewardNo - a.rewardNo))
      debts.set(reversal.rewardNo, this.takeBack(reversal));
    await this.write();
    return reversals.map(({ rewardNo }) => ({ debt: debts.get(rewardNo) ?? null }));
  }

  /** Locks as grants do, subscriptions before plans. */
  private async load(reversals: readonly RewardReversal[]): Promise<void> {
    const userIds = sortedIds(reversals.map(({ userId }) => userId));
    const planIds = sortedIds(reversals.map(({ rule }) => rule.id).filter(isId));
    const [states, plans] = await Promise.all([
      loadStates(this.em, this.tenantId, userIds, planIds, 'for update'),
      lockPlans(this.em, this.tenantId, planIds, true),
    ]);
    for (const state of states) this.states.set(state.id, state);
    for (const { id, unitTime } of plans) this.units.set(id, unitTime);
    const orderIds = sortedIds(reversals.map(({ orderId }) => orderId));
    const started = await this.em.find(
      Subscription,
      { id: { $in: [...this.states.keys()] }, orderId: { $in: orderIds } },
      { fields: ['id', 'holdsInventory'], disableIdentityMap: true },
    );
    for (const subscription of started) this.started.set(subscription.id, subscription);
  }

  /** In memory. @returns the debt */
  private takeBack(reversal: RewardReversal): string | null {
    const { targetId, rule } = reversal;
    const state = present(this.states.get(targetId), 'The subscription of a grant');
    const unit = rule.unit ?? present(this.units.get(rule.id), 'The plan of a grant');
    const isStarter = this.started.has(targetId);
    const period = reversal.period ?? periodBefore(reversal, unit, isStarter);
    const taken = period && takenBack(state, period, isStarter, this.now.getTime());
    const debt = taken === null ? wholeTime(rule.quantity, unit) : spentTime(taken.spentMs, unit);
    if (debt !== null && this.spent === 'REFUSE') throw refusalOf(reversal, debt);
    if (taken !== null && taken.state !== state) {
      this.states.set(targetId, taken.state);
      this.changed.add(targetId);
    }
    return debt;
  }

  private async write(): Promise<void> {
    for (const id of [...this.changed].toSorted(compareIds)) {
      const { status, expiresAtMs, anchorDay } = present(this.states.get(id), 'A changed subscription');
      const expiresAt = expiresAtMs === null ? null : new Date(expiresAtMs);
      await this.em.nativeUpdate(Subscription, { id }, { status, expiresAt, anchorDay, updatedAt: this.now });
    }
    await this.giveInventoryBack();
  }

  /**
   * Only what a subscription took comes back: its plan may have been unlimited when it started. A subscription that
   * lives on with the time of other grants keeps its place, and so does one that they can bring back to life.
   */
  private async giveInventoryBack(): Promise<void> {
    const ended = [...this.started]
      .filter(([id, { holdsInventory }]) => holdsInventory && this.changed.has(id))
      .map(([id]) => present(this.states.get(id), 'A subscription'))
      .filter(({ status }) => status === 'DEDUCTED');
    for (const id of sortedIds(ended.map((state) => state.id)))
      await this.em.nativeUpdate(Subscription, { id }, { holdsInventory: false });
    const byPlan = [...Map.groupBy(ended, ({ planId }) => planId)].toSorted(([a], [b]) => compareIds(a, b));
    for (const [planId, { length }] of byPlan) await returnInventory(this.em, this.tenantId, planId, length);
  }
}

/** Of grants from before periods were kept: what the rule gives at their instant. Null where an end was lost for good. */
function periodBefore(
  { grantedAt: from, rule }: RewardReversal,
  unit: TimeUnit,
  isStarter: boolean,
): GrantedPeriod | null {
  const untilMs = addUnits(from.getTime(), unit, rule.quantity);
  if (untilMs !== null) return { from, until: new Date(untilMs) };
  return isStarter ? { from, until: null } : null;
}

function wholeTime(quantity: number, unit: TimeUnit): string {
  return unit === 'NO_LIMIT' ? 'a subscription without end' : `${quantity} ${unit}`;
}

function refusalOf({ rewardNo }: RewardReversal, debt: string): DomainError {
  return new DomainError(
    'REWARD_SPENT',
    `Reward ${rewardNo} gave a subscription of which ${debt} cannot be taken back any more. Reverse it with \`spent: DEBT\` to state that as a debt.`,
    { field: ['input', 'spent'], rewardNo },
  );
}
