import type { RowCheck } from '../../platform/database/row-check.js';

const all = (outcome: string): string =>
  `(select coalesce(sum(p.total), 0) from redemption_series p where p.tenant_id = s.tenant_id and p.step = 'DAY'
      and p.campaign_id = 0 and p.product_code = '' and p.outcome = '${outcome}')`;
const totals = (statuses: string): string =>
  `(select coalesce(sum(r.total), 0) from redemption_total r where r.tenant_id = s.tenant_id and r.status in (${statuses}))`;

export const SERIES_CHECKS: readonly RowCheck[] = [
  {
    kind: 'REDEMPTION_SERIES_DIFFERS',
    invariant: 'I3',
    means: 'The counts of redemptions over time are not those of the totals.',
    remedy: '`recount` counts all redemptions of the tenant again.',
    facts: {
      name: 'series',
      rows: 'TENANT',
      // Judged when no event waits, because redemptions are counted behind their commits.
      sql: `select s.tenant_id as id, cast(${all('COMMITTED')} as signed) as counted, cast(${totals("'COMMITTED', 'REVERSED'")} as signed) as redemptions,
            cast(${all('REVERSED')} as signed) as countedReversals, cast(${totals("'REVERSED'")} as signed) as reversals
          from redemption_series_cursor s
          join outbox_counter o on o.tenant_id = s.tenant_id
          join event_consumer e on e.tenant_id = s.tenant_id and e.consumer = 'redemption_series' and e.seq >= o.last_seq
         where s.tenant_id in (:items)`,
    },
    wrong: 'counted <> redemptions or countedReversals <> reversals',
  },
];
