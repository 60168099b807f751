import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { changeRow, givenFields } from '../platform/database/change-row.js';
import type { Transactions } from '../platform/database/transaction.js';
import { checkPlanChange } from './plan-input.js';
import { Plan } from './plan.entity.js';
import type { UPDATE_PLAN_ERROR_CODES } from './plan.errors.js';
import type { PlanService } from './plan.service.js';

/** Changes of plans by staff. What users hold already keeps its traffic until it is extended. */
export class PlanChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly plans: PlanService,
  ) {}

  /** @throws DomainError with a code of {@link UPDATE_PLAN_ERROR_CODES} */
  async update(tenantId: string, planId: Id, input: object): Promise<Plan> {
    const { expectedVersion, ...values } = checkPlanChange(input);
    const changed = isId(planId)
      ? await this.transactions.run(tenantId, async (em) =>
          changeRow(em, Plan, { id: planId }, expectedVersion, () => givenFields(values)),
        )
      : null;
    if (changed === null) {
      const code: (typeof UPDATE_PLAN_ERROR_CODES)[number] = 'PLAN_NOT_FOUND';
      throw new DomainError(code, 'The tenant has no plan with this id.', { field: ['input', 'planId'] });
    }
    this.plans.invalidate(tenantId, planId);
    return changed.after;
  }
}
