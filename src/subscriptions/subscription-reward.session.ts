import { invariant, present } from '../platform/assert.js';
import { compareIds, sortedIds, type Id, type IdGenerator } from '../platform/ids.js';
import { writeTogether } from '../platform/database/execute-together.js';
import type { Em } from '../platform/database/orm.js';
import type {
  RewardApplication,
  RewardOutcome,
  RewardRefusal,
  RewardSession,
} from '../rewards/reward-handler.js';
import {
  addedPeriod,
  extendable,
  extended,
  grantRefusal,
  hasEffect,
  isEndless,
  started,
  type PlanTerms,
  type SubscriptionState,
} from './subscription-grant.js';
import { insertStarted, writeExtended, type StartedSubscription } from './subscription-rows.js';

/** The locked subscriptions and plans of one batch. Grants are decided and kept here until {@link flush}. */
export class SubscriptionRewardSession implements RewardSession {
  private readonly plans = new Map<Id, PlanTerms>();
  /** By user and plan, what the user holds as things stand in this session. */
  private readonly held = new Map<string, SubscriptionState[]>();
  private readonly starts = new Map<Id, Omit<StartedSubscription, 'state'>>();
  private readonly extendedIds = new Set<Id>();
  private readonly taken = new Map<Id, number>();
  private updatedAtMs = 0;

  constructor(
    private readonly em: Em,
    private readonly tenantId: string,
    private readonly ids: IdGenerator,
    plans: readonly PlanTerms[],
    states: readonly SubscriptionState[],
  ) {
    for (const plan of plans) this.plans.set(plan.id, plan);
    for (const state of states) this.put(state);
  }

  refusal(application: RewardApplication): RewardRefusal | null {
    return grantRefusal(
      this.plans.get(application.rule.id),
      this.heldFor(application),
      application.claimedAtMs,
    );
  }

  hasEffect(application: RewardApplication): boolean {
    const { rule, claimedAtMs } = application;
    const plan = present(this.plans.get(rule.id), 'The plan of a reward');
    return hasEffect(plan, this.heldFor(application), rule, claimedAtMs);
  }

  apply(application: RewardApplication): RewardOutcome {
    invariant(this.refusal(application) === null, 'A reward was given that has to be refused.');
    const plan = present(this.plans.get(application.rule.id), 'The plan of a reward');
    const current = extendable(this.heldFor(application), application.claimedAtMs);
    const state =
      current === undefined ? this.start(application, plan) : this.extend(current, application, plan);
    this.put(state);
    this.updatedAtMs = Math.max(this.updatedAtMs, application.claimedAtMs);
    return { targetId: state.id, period: addedPeriod(current, state, application.claimedAtMs) };
  }

  async flush(): Promise<void> {
    const updatedAt = new Date(this.updatedAtMs);
    const states = [...this.held.values()].flat().toSorted((a, b) => compareIds(a.id, b.id));
    const fresh = states.flatMap((state) => {
      const start = this.starts.get(state.id);
      return start === undefined ? [] : [{ state, ...start }];
    });
    const changed = states.filter((state) => this.extendedIds.has(state.id));
    await Promise.all([
      this.takeInventory(),
      this.noteHeldForEver(),
      insertStarted(this.em, this.tenantId, fresh, updatedAt),
      writeExtended(this.em, this.tenantId, changed, updatedAt),
    ]);
  }

  private start(application: RewardApplication, plan: PlanTerms): SubscriptionState {
    const { orderId, claimedAtMs, userId, rule } = application;
    const state = started(this.ids.next(), userId, plan, rule, claimedAtMs);
    const holdsInventory = plan.inventory > 0;
    this.starts.set(state.id, { orderId, startedAt: new Date(claimedAtMs), holdsInventory });
    if (holdsInventory) {
      this.plans.set(plan.id, { ...plan, inventory: plan.inventory - 1 });
      this.taken.set(plan.id, (this.taken.get(plan.id) ?? 0) + 1);
    }
    return state;
  }

  private extend(
    current: SubscriptionState,
    application: RewardApplication,
    plan: PlanTerms,
  ): SubscriptionState {
    // What this session started is inserted with its last state, so it needs no update of its own.
    if (!this.starts.has(current.id)) this.extendedIds.add(current.id);
    return extended(current, plan, application.rule, application.claimedAtMs);
  }

  /** In primary-key order. The plan's row is locked, so a miss means a write that bypassed the lock. */
  private async takeInventory(): Promise<void> {
    const taken = [...this.taken].toSorted(([a], [b]) => compareIds(a, b));
    const written = await Promise.all(
      taken.map(async ([planId, count]) =>
        writeTogether(
          this.em,
          `update plan force index (primary) set inventory = inventory - ?
            where tenant_id = ? and id = ? and inventory >= ?`,
          [count, this.tenantId, planId, count],
        ),
      ),
    );
    const isTaken = written.every(({ affectedRows }) => affectedRows === 1);
    invariant(isTaken, 'The inventory of a locked plan has changed.');
  }

  /** Once in the life of a plan. */
  private async noteHeldForEver(): Promise<void> {
    const given = [...this.held.values()].flat().filter(isEndless);
    const planIds = given
      .map(({ planId }) => planId)
      .filter((planId) => this.plans.get(planId)?.heldForEver === false);
    if (planIds.length === 0) return;
    const sql = `update plan force index (primary) set held_for_ever = 1 where tenant_id = ? and id in (?)`;
    await writeTogether(this.em, sql, [this.tenantId, sortedIds(planIds)]);
  }

  private heldFor({ userId, rule }: RewardApplication): readonly SubscriptionState[] {
    return this.held.get(`${userId} ${rule.id}`) ?? [];
  }

  private put(state: SubscriptionState): void {
    const key = `${state.userId} ${state.planId}`;
    const others = (this.held.get(key) ?? []).filter((other) => other.id !== state.id);
    this.held.set(key, [...others, state]);
  }
}
