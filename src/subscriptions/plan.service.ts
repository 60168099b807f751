import { LRUCache } from 'lru-cache';
import { atMost } from '../platform/cache-size.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { changeRow, givenFields } from '../platform/database/change-row.js';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm } from '../platform/database/orm.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import { nodesChanged } from './nodes/node-events.js';
import { checkPlan, checkPlanChange, type CreatePlan } from './plan-input.js';
import { Plan } from './plan.entity.js';
import type { UPDATE_PLAN_ERROR_CODES } from './plan.errors.js';

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

type Collaborators = Pick<PlatformServices, 'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions' | 'outbox'>;

export class PlanService {
  private readonly cache: LRUCache<string, FoundPlan, PlanKey>;

  constructor(private readonly its: Collaborators) {
    this.cache = new LRUCache<string, FoundPlan, PlanKey>({
      ...atMost(PLANS_MAX),
      ttl: PLAN_TTL_MS,
      ttlResolution: 0,
      // Who waits for a plan while it is invalidated gets what was read; it is only not kept.
      ignoreFetchAbort: true,
      perf: { now: () => its.clock.nowMs() },
      fetchMethod: async (_key, _stale, { context }) => ({ plan: await this.read(context) }),
    });
  }

  /** @throws DomainError with a code of {@link CREATE_PLAN_ERROR_CODES} */
  async create(tenantId: string, input: CreatePlan): Promise<Plan> {
    const plan = {
      ...checkPlan(input),
      tenantId,
      id: this.its.ids.next(),
      version: 1,
      createdAt: new Date(this.its.clock.nowMs()),
    };
    return this.its.transactions.run(tenantId, async (em) => {
      await em.insert(Plan, plan);
      return em.map(Plan, plan);
    });
  }

  /**
   * What users hold already keeps its traffic until it is extended.
   * @throws DomainError with a code of {@link UPDATE_PLAN_ERROR_CODES}
   */
  async update(tenantId: string, planId: Id, input: object): Promise<Plan> {
    const { expectedVersion, currency, ...terms } = checkPlanChange(input);
    const values = { ...givenFields(terms), ...(currency !== undefined && { currency }) };
    const decide = () => values;
    const changed = isId(planId)
      ? await this.its.transactions.run(tenantId, async (em) => {
          const row = await changeRow(em, Plan, { id: planId }, expectedVersion, decide);
          if (row !== null && openingsOf(row.before) !== openingsOf(row.after))
            this.its.outbox.append(em, tenantId, [nodesChanged({ planId })]);
          return row;
        })
      : null;
    if (changed === null) {
      const code: (typeof UPDATE_PLAN_ERROR_CODES)[number] = 'PLAN_NOT_FOUND';
      throw new DomainError(code, 'The tenant has no plan with this id.', { field: ['input', 'planId'] });
    }
    this.invalidate(tenantId, planId);
    return changed.after;
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
    return findPage(tenantEm(this.its.readOrm, tenantId), Plan, shownOnly ? { show: true } : {}, page);
  }

  private async read({ tenantId, planId }: PlanKey): Promise<Plan | null> {
    return tenantEm(this.its.orm, tenantId).findOne(Plan, { id: planId }, { disableIdentityMap: true });
  }
}

const openingsOf = ({ nodeIds, nodeTags }: Plan) => JSON.stringify([nodeIds, nodeTags]);

function keyOf(tenantId: string, planId: Id): string {
  return `${tenantId} ${planId}`;
}
