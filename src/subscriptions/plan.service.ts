import type { MikroORM } from '@mikro-orm/core';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../platform/clock.js';
import { isId, type Id, type IdGenerator } from '../platform/ids.js';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm } from '../platform/database/orm.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import { checkPlan, type CreatePlan } from './plan-input.js';
import { Plan } from './plan.entity.js';

/** What a process may remember of a plan, and for how long: prechecks may be this late, commits never are. */
const PLANS_MAX = 10_000;
const PLAN_TTL_MS = 1000;

interface PlanKey {
  readonly tenantId: string;
  readonly planId: Id;
}

/** Boxed, so that "there is none" is remembered as well. */
interface FoundPlan {
  readonly plan: Plan | null;
}

export class PlanService {
  private readonly cache: LRUCache<string, FoundPlan, PlanKey>;

  constructor(
    private readonly orm: MikroORM,
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    /** Where lists are read, which may take long. */
    private readonly listOrm: MikroORM = orm,
  ) {
    this.cache = new LRUCache<string, FoundPlan, PlanKey>({
      max: PLANS_MAX,
      ttl: PLAN_TTL_MS,
      ttlResolution: 0,
      // Who waits for a plan while it is invalidated gets what was read; it is only not kept.
      ignoreFetchAbort: true,
      perf: { now: () => clock.nowMs() },
      fetchMethod: async (_key, _stale, { context }) => ({ plan: await this.read(context) }),
    });
  }

  /** @throws DomainError with a code of {@link CREATE_PLAN_ERROR_CODES} */
  async create(tenantId: string, input: CreatePlan): Promise<Plan> {
    const plan = {
      ...checkPlan(input),
      tenantId,
      id: this.ids.next(),
      version: 1,
      createdAt: new Date(this.clock.nowMs()),
    };
    const em = tenantEm(this.orm, tenantId);
    await em.insert(Plan, plan);
    return em.map(Plan, plan);
  }

  /** As it was at most a second ago; many callers at once make one query. */
  async find(tenantId: string, planId: Id): Promise<Plan | null> {
    if (!isId(planId)) return null;
    const found = await this.cache.fetch(keyOf(tenantId, planId), { context: { tenantId, planId } });
    return found?.plan ?? null;
  }

  /** The plan, unless it is hidden from the caller. */
  async findFor(tenantId: string, planId: Id, shownOnly: boolean): Promise<Plan | null> {
    const plan = await this.find(tenantId, planId);
    return shownOnly && plan?.show === false ? null : plan;
  }

  /** What this process last knew, at any age and without a query; undefined when it knows nothing. */
  peek(tenantId: string, planId: Id): Plan | undefined {
    return this.cache.peek(keyOf(tenantId, planId), { allowStale: true })?.plan ?? undefined;
  }

  /** After a change in this process, so that the next look finds it; other processes follow within a second. */
  invalidate(tenantId: string, planId: Id): void {
    this.cache.delete(keyOf(tenantId, planId));
  }

  /** What a campaign that gives the plan depends on, by the database; null where there is none. */
  async asTarget(tenantId: string, planId: Id): Promise<{ readonly unit: TimeUnit } | null> {
    const plan = isId(planId) ? await this.read({ tenantId, planId }) : null;
    return plan && { unit: plan.unitTime };
  }

  /** Newest first. Users see what is shown to them, staff sees all. */
  async list(tenantId: string, page: PageRange, shownOnly: boolean): Promise<Page<Plan>> {
    return findPage(tenantEm(this.listOrm, tenantId), Plan, shownOnly ? { show: true } : {}, page);
  }

  private async read({ tenantId, planId }: PlanKey): Promise<Plan | null> {
    return tenantEm(this.orm, tenantId).findOne(Plan, { id: planId }, { disableIdentityMap: true });
  }
}

function keyOf(tenantId: string, planId: Id): string {
  return `${tenantId} ${planId}`;
}
