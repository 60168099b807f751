import type { Clock } from '../platform/clock.js';
import { Money } from '../platform/decimal.js';
import type { Id } from '../platform/ids.js';
import { instantOf, type SqlInstant } from '../platform/database/sql-values.js';
import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import { PAGE, type Rows } from './rows.js';

const USER = {
  kind: 'USER_LIMIT_EXCEEDED',
  invariant: 'I1',
  holder: 'DATABASE',
  means:
    'A user redeemed more in a campaign than its limit, in total or of a day, since it was last changed.',
  remedy: 'Reverse what is too much.',
} as const satisfies Check;
const BUDGET = {
  kind: 'BUDGET_EXCEEDED',
  invariant: 'I1',
  holder: 'DATABASE',
  means: 'A campaign gave more than its budget, in redemptions or in value, since it was last changed.',
  remedy: 'Reverse what is too much, or raise the budget.',
} as const satisfies Check;

/** Clocks of processes differ a little. */
const SKEW_MS = 10_000;

interface Exceeded {
  readonly campaignId: Id;
  readonly lastAt: SqlInstant;
}

interface ChangeRow {
  readonly id: Id;
  readonly version: number;
  readonly createdAt: SqlInstant;
}

const SELECT_CAMPAIGNS = `select cast(id as char) as id, version, created_at as createdAt from campaign
   where tenant_id = ? and id in (?)`;
const SELECT_CHANGES = `
  select json_value(payload, '$.campaignId') as campaignId, max(created_at) as changedAt from outbox_event
   where tenant_id = ? and type = 'campaign_changed' and json_value(payload, '$.campaignId') in (?)
   group by json_value(payload, '$.campaignId')`;

/**
 * A limit may be set below what was redeemed before, and then holds for what comes. So only a campaign that went on
 * past its limit has broken it: redemptions since its last change would have been refused.
 */
class LastChanges {
  constructor(
    private readonly rows: Rows,
    private readonly clock: Clock,
    private readonly retentionMs: number,
  ) {}

  async brokenSince<Row extends Exceeded>(tenantId: string, exceeded: readonly Row[]): Promise<Row[]> {
    if (exceeded.length === 0) return [];
    const ids = [...new Set(exceeded.map(({ campaignId }) => campaignId))];
    const campaigns = await this.rows.read<ChangeRow>(tenantId, SELECT_CAMPAIGNS, [ids]);
    type Change = { readonly campaignId: Id; readonly changedAt: SqlInstant };
    const told = await this.rows.read<Change>(tenantId, SELECT_CHANGES, [ids]);
    const changes = new Map(told.map(({ campaignId, changedAt }) => [campaignId, changedAt]));
    // A change that the outbox has forgotten is older than what it keeps.
    const forgottenMs = this.clock.nowMs() - this.retentionMs;
    const sinceMs = new Map(
      campaigns.map(({ id, version, createdAt }) => {
        const changedAt = changes.get(id) ?? (version === 1 ? createdAt : null);
        return [id, instantOf(changedAt)?.getTime() ?? forgottenMs];
      }),
    );
    return exceeded.filter(({ campaignId, lastAt }) => {
      const lastMs = instantOf(lastAt)?.getTime() ?? 0;
      return lastMs > (sinceMs.get(campaignId) ?? lastMs) + SKEW_MS;
    });
  }
}

interface ExceededByUser extends Exceeded {
  readonly userId: Id;
  /** Null for the limit in total. */
  readonly day: number | null;
  readonly redemptions: number;
  readonly most: number;
}

const HAS_USER_LIMITS = `select 1 as one from campaign where tenant_id = ?
   and (user_limit_total > 0 or user_limit_day > 0) limit 1`;
const NEXT_USERS = `
  select distinct cast(r.user_id as char) as item, r.user_id from redemption r force index (uq_redemption__user_key)
   where r.tenant_id = ? and r.user_id > cast(? as unsigned) order by r.user_id limit ${PAGE}`;
const OVER = `from redemption r force index (uq_redemption__user_key)
    join campaign c on c.tenant_id = r.tenant_id and c.id = r.campaign_id
   where r.tenant_id = ? and r.user_id in (?) and r.status = 'COMMITTED'`;
const WHO = `cast(r.user_id as char) as userId, cast(r.campaign_id as char) as campaignId,
   count(*) as redemptions, max(r.settled_at) as lastAt`;
const SELECT_TOTALS = `
  select ${WHO}, null as day, c.user_limit_total as most ${OVER} and c.user_limit_total > 0
   group by r.user_id, r.campaign_id, c.user_limit_total having count(*) > c.user_limit_total`;
/** Days since 1970. Grouped by as it stands, because MySQL does not see that a part of it would do. */
const DAY = 'to_days(r.claimed_at) - 719528';
const SELECT_DAYS = `
  select ${WHO}, ${DAY} as day, c.user_limit_day as most ${OVER} and c.user_limit_day > 0
   group by r.user_id, r.campaign_id, c.user_limit_day, ${DAY} having count(*) > c.user_limit_day`;

/** Users against the limits of campaigns, by the redemptions themselves. */
export class UserLimitChecks implements DatabaseChecks {
  readonly name = 'users';
  readonly checks = [USER];
  private readonly changes: LastChanges;

  constructor(
    private readonly rows: Rows,
    clock: Clock,
    retentionMs: number,
  ) {
    this.changes = new LastChanges(rows, clock, retentionMs);
  }

  async *pages(tenantId: string): AsyncGenerator<readonly string[]> {
    const limited = await this.rows.read(tenantId, HAS_USER_LIMITS, []);
    if (limited.length > 0) yield* this.rows.pages(tenantId, NEXT_USERS);
  }

  async judge(tenantId: string, userIds: readonly string[]): Promise<Finding[]> {
    const totals = await this.rows.read<ExceededByUser>(tenantId, SELECT_TOTALS, [userIds]);
    const days = await this.rows.read<ExceededByUser>(tenantId, SELECT_DAYS, [userIds]);
    const broken = await this.changes.brokenSince(tenantId, [...totals, ...days]);
    return broken.map(({ campaignId, userId, day, redemptions, most }) => {
      const subject = `${campaignId}/${userId}${day === null ? '' : `/${day}`}`;
      return finding(USER.kind, userId, { redemptions, limit: most }, subject);
    });
  }
}

interface ExceededBudget extends Exceeded {
  readonly budgetUses: number;
  readonly budgetValue: string;
  readonly redemptions: number;
  readonly given: string;
}

const SELECT_BUDGETS = `
  select cast(c.id as char) as campaignId, c.budget_uses as budgetUses, c.budget_value as budgetValue,
      count(*) as redemptions, max(r.settled_at) as lastAt,
      coalesce(sum((select sum(g.value) from reward_grant g
         where g.tenant_id = r.tenant_id and g.redemption_id = r.id)), 0) as given
    from campaign c join redemption r on r.tenant_id = c.tenant_id and r.campaign_id = c.id and r.status = 'COMMITTED'
   where c.tenant_id = ? and c.id = cast(? as unsigned)
   group by c.tenant_id, c.id, c.budget_uses, c.budget_value`;

/** Budgets of campaigns, by the redemptions and grants themselves. */
export class BudgetChecks implements DatabaseChecks {
  readonly name = 'budgets';
  readonly checks = [BUDGET];
  private readonly changes: LastChanges;

  constructor(
    private readonly rows: Rows,
    clock: Clock,
    retentionMs: number,
  ) {
    this.changes = new LastChanges(rows, clock, retentionMs);
  }

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.idPages(tenantId, 'campaign', '(t.budget_uses > 0 or t.budget_value > 0)');
  }

  async judge(tenantId: string, campaignIds: readonly string[]): Promise<Finding[]> {
    const exceeded: ExceededBudget[] = [];
    for (const id of campaignIds) {
      const rows = await this.rows.read<ExceededBudget>(tenantId, SELECT_BUDGETS, [id]);
      exceeded.push(...rows.filter(isOverBudget));
    }
    const broken = await this.changes.brokenSince(tenantId, exceeded);
    return broken.map(({ campaignId, redemptions, given }) =>
      finding(BUDGET.kind, campaignId, { redemptions, value: new Money(given).toFixed() }),
    );
  }
}

function isOverBudget({ budgetUses, budgetValue, redemptions, given }: ExceededBudget): boolean {
  if (budgetUses > 0 && redemptions > budgetUses) return true;
  return new Money(budgetValue).gt(0) && new Money(given).gt(budgetValue);
}
