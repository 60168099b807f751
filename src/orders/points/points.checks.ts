import type { RowCheck, RowFacts } from '../../platform/database/row-check.js';

const ACCOUNTS: RowFacts = {
  name: 'points accounts',
  rows: { table: 'points_account', key: ['user_id'] },
  sql: `
    select cast(a.user_id as char) as id, a.balance,
        (select coalesce(sum(l.remaining), 0) from points_lot l force index (ix_points_lot__user_remaining)
          where l.tenant_id = a.tenant_id and l.user_id = a.user_id) as remaining,
        (select coalesce(sum(e.points), 0) from points_ledger e force index (ix_points_ledger__user)
          where e.tenant_id = a.tenant_id and e.user_id = a.user_id) as booked
      from points_account a force index (primary)
     where a.tenant_id = :tenant and a.user_id in (:items)`,
};

const LOTS: RowFacts = {
  name: 'lots of points',
  rows: { table: 'points_lot' },
  sql: `
    select cast(l.id as char) as id, l.spent,
        (select coalesce(sum(o.points), 0) from order_points o force index (ix_order_points__lot)
          where o.tenant_id = l.tenant_id and o.lot_id = l.id and not exists (
            select 1 from points_ledger b where b.tenant_id = o.tenant_id and b.order_id = o.order_id
              and b.user_id = l.user_id and b.action = 'GIVE_BACK')) as orders,
        not exists (select 1 from points_account a
          where a.tenant_id = l.tenant_id and a.user_id = l.user_id) as isWithoutAccount,
        l.redemption_id is not null and not exists (
          select 1 from reward_grant g where g.tenant_id = l.tenant_id and g.redemption_id = l.redemption_id
            and g.reward_no = l.reward_no and g.type = 'POINTS') as isWithoutGrant
      from points_lot l force index (primary)
     where l.tenant_id = :tenant and l.id in (:items)`,
};

const GRANTS: RowFacts = {
  name: 'grants of points',
  rows: { table: 'reward_grant', key: ['redemption_id'], repeats: true, condition: `t.type = 'POINTS'` },
  sql: `
    select cast(g.redemption_id as char) as id, concat(g.redemption_id, '/', g.reward_no) as subject
      from reward_grant g force index (primary)
      left join redemption r on r.tenant_id = g.tenant_id and r.id = g.redemption_id
      left join points_lot l on l.tenant_id = g.tenant_id and l.id = g.target_id
        and l.redemption_id = g.redemption_id and l.reward_no = g.reward_no
        and l.user_id = coalesce(r.user_id, l.user_id)
     where g.tenant_id = :tenant and g.redemption_id in (:items) and g.type = 'POINTS' and l.id is null`,
};

export const POINTS_CHECKS: readonly RowCheck[] = [
  {
    kind: 'POINTS_BALANCE_DIFFERS',
    invariant: 'I4',
    means: "A user's points are not the sum of the lots, or not that of the ledger.",
    remedy: 'Find the change that bypassed the program; the ledger is never changed, so trust it.',
    facts: ACCOUNTS,
    wrong: 'balance <> remaining or balance <> booked',
  },
  {
    kind: 'POINTS_ACCOUNT_MISSING',
    invariant: 'I4',
    means: 'A user has points and no account of them.',
    remedy: 'Restore the account from a backup, or insert it with the sum of the lots.',
    facts: LOTS,
    wrong: 'isWithoutAccount',
  },
  {
    kind: 'SPENT_POINTS_DIFFER',
    invariant: 'I4',
    means: 'Of a lot other points are marked as spent than orders have taken and not given back.',
    remedy:
      'Find the change that bypassed the program; then set points_lot.spent to the sum of order_points.',
    facts: LOTS,
    wrong: 'spent <> orders',
  },
  {
    kind: 'POINTS_WITHOUT_GRANT',
    invariant: 'I5',
    means: 'Points come from a reward that was not granted.',
    remedy: 'Both are written by one transaction: find out what removed the grant.',
    facts: LOTS,
    wrong: 'isWithoutGrant',
  },
  {
    kind: 'POINTS_MISSING',
    invariant: 'I5',
    means: 'Granted points are missing, or are of another user.',
    remedy: 'Restore the lot from a backup, or grant the points by hand.',
    facts: GRANTS,
  },
];
