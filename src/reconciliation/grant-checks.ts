import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import { PAGE, type Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'GRANT_WITHOUT_REDEMPTION',
    invariant: 'I5',
    holder: 'DATABASE',
    means: 'A reward was granted for a redemption that is not there, or was given up.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
  },
  {
    kind: 'SUBSCRIPTION_MISSING',
    invariant: 'I5',
    holder: 'DATABASE',
    means: 'A granted subscription is not there, or is of another user or plan.',
    remedy: 'Bring the subscription back from a backup, or grant the plan again by hand.',
  },
] as const satisfies readonly Check[];

interface GrantFacts {
  readonly redemptionId: string;
  readonly rewardNo: number;
  readonly isRedeemed: number;
  readonly lacksSubscription: number;
}

const SELECT_FACTS = `
  select cast(g.redemption_id as char) as redemptionId, g.reward_no as rewardNo,
      coalesce(r.status <> 'ABORTED', 0) as isRedeemed,
      g.type = 'SUBSCRIPTION' and g.status = 'GRANTED' and s.id is null as lacksSubscription
    from reward_grant g force index (primary)
    left join redemption r on r.tenant_id = g.tenant_id and r.id = g.redemption_id
    left join subscription s on s.tenant_id = g.tenant_id and s.id = g.target_id
      and s.user_id = coalesce(r.user_id, s.user_id) and s.plan_id = cast(g.source_id as unsigned)
   where g.tenant_id = ? and g.redemption_id in (?)`;

const NEXT_REDEMPTIONS = `
  select distinct cast(g.redemption_id as char) as item, g.redemption_id from reward_grant g force index (primary)
   where g.tenant_id = ? and g.redemption_id > cast(? as unsigned) order by g.redemption_id limit ${PAGE}`;

/** Grants, by the redemption that they belong to, and what each has brought. */
export class GrantChecks implements DatabaseChecks {
  readonly name = 'grants';
  readonly checks = CHECKS;

  constructor(private readonly rows: Rows) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.pages(tenantId, NEXT_REDEMPTIONS);
  }

  async judge(tenantId: string, redemptionIds: readonly string[]): Promise<Finding[]> {
    const rows = await this.rows.read<GrantFacts>(tenantId, SELECT_FACTS, [redemptionIds]);
    return rows.flatMap(({ redemptionId, rewardNo, isRedeemed, lacksSubscription }) => {
      const found: Finding[] = [];
      const subject = `${redemptionId}/${rewardNo}`;
      if (isRedeemed === 0) found.push(finding('GRANT_WITHOUT_REDEMPTION', redemptionId, {}, subject));
      if (lacksSubscription === 1) found.push(finding('SUBSCRIPTION_MISSING', redemptionId, {}, subject));
      return found;
    });
  }
}
