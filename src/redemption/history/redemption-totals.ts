import type { RewardPlace } from '../../campaigns/campaign-rewards.service.js';
import type { Em } from '../../platform/database/orm.js';
import type { TotalsTable } from '../../platform/database/totals.js';
import type { Id } from '../../platform/ids.js';
import type { WholeDays } from './days.js';
import { rewardBits } from './redemption-record.js';

/** What totals tell by themselves. */
export interface CountedFilter {
  readonly campaignId?: Id;
  readonly batchId?: Id;
  readonly status?: 'COMMITTED' | 'REVERSED';
  /** What was given: one of these rewards. */
  readonly places?: readonly RewardPlace[];
}

/** How many redemptions fit, without a look at any of them. */
export async function sumOfTotals(
  em: Em,
  tenantId: string,
  { campaignId, batchId, status, places }: CountedFilter,
  { days }: WholeDays,
): Promise<number> {
  const conditions: (readonly [sql: string, ...params: unknown[]] | false)[] = [
    ['tenant_id = ?', tenantId],
    campaignId !== undefined && ['campaign_id = ?', campaignId],
    batchId !== undefined && ['batch_id = ?', batchId],
    status !== undefined && ['status = ?', status],
    places !== undefined && gaveOne(places),
    days !== undefined && ['day >= ? and day < ?', ...days],
  ];
  const given = conditions.filter((condition) => condition !== false);
  const [row] = await em.execute<[{ total: string }]>(
    `select coalesce(sum(total), 0) as total from redemption_total where ${given.map(([sql]) => sql).join(' and ')}`,
    given.flatMap(([, ...params]) => params),
  );
  return Number(row.total);
}

function gaveOne(places: readonly RewardPlace[]): readonly [string, ...unknown[]] {
  const campaigns = [...Map.groupBy(places, ({ campaignId }) => campaignId)];
  const each = campaigns.map(() => '(campaign_id = ? and (rewards & ?) <> 0)').join(' or ');
  return [`(${each})`, ...campaigns.flatMap(([id, rewards]) => [id, rewardBits(rewards)])];
}

export const REDEMPTION_TOTALS: TotalsTable = {
  table: 'redemption_total',
  key: 'tenant_id, campaign_id, batch_id, day, rewards, status',
  countOf: (
    condition,
  ) => `select tenant_id, campaign_id, batch_id, datediff(claimed_at, '1970-01-01') as day, (
          select coalesce(bit_or(1 << g.reward_no), 0) from reward_grant g
           where g.tenant_id = redemption.tenant_id and g.redemption_id = redemption.id) as rewards, status, count(*) as n
      from redemption where status <> 'ABORTED' and ${condition} group by 1, 2, 3, 4, 5, 6`,
};
