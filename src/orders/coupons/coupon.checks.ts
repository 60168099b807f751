import type { RowCheck, RowFacts } from '../../platform/database/row-check.js';

/**
 * Coupons against their ledger. Amounts of an AMOUNT sum up to its balance; a RESERVE and its USAGE are one consumption,
 * and an AMOUNT has no RESERVE.
 */
const COUPONS: RowFacts = {
  name: 'coupons',
  rows: { table: 'user_coupon' },
  sql: `
    select cast(c.id as char) as id, c.kind, c.status, c.balance, coalesce(sum(l.amount), 0) as booked,
        coalesce(sum(l.action = 'ISSUE'), 0) as issues,
        coalesce(sum(l.action = 'RESERVE' and l.order_id = c.reserved_order_id), 0)
          - coalesce(sum(l.action = 'REFUND' and l.order_id = c.reserved_order_id), 0) as reservations,
        coalesce(sum(l.action = 'USAGE' and l.order_id = c.used_order_id), 0)
          - coalesce(sum(l.action = 'REFUND' and l.order_id = c.used_order_id), 0) as usages
      from user_coupon c force index (primary)
      left join coupon_ledger l force index (ix_coupon_ledger__coupon)
        on l.tenant_id = c.tenant_id and l.coupon_id = c.id
     where c.tenant_id = :tenant and c.id in (:items)
     group by c.tenant_id, c.id, c.kind, c.status, c.balance`,
};

const REWARDS: RowFacts = {
  name: 'coupons of rewards',
  rows: { table: 'user_coupon', condition: 't.redemption_id is not null' },
  sql: `
    select cast(c.id as char) as id, concat(c.redemption_id, '/', c.reward_no) as reward
      from user_coupon c force index (primary)
     where c.tenant_id = :tenant and c.id in (:items) and c.redemption_id is not null and not exists (
       select 1 from reward_grant g where g.tenant_id = c.tenant_id and g.redemption_id = c.redemption_id
         and g.reward_no = c.reward_no and g.type = 'COUPON')`,
};

/** What orders took, by their rows; the ledger says the same, and gives no more back. */
const ORDER_COUPONS: RowFacts = {
  name: 'coupons of orders',
  rows: { table: 'order_coupon', key: ['order_id', 'coupon_id'] },
  sql: `
    select concat(o.order_id, '|', o.coupon_id) as id, concat(o.order_id, '/', o.coupon_id) as subject,
        o.amount, coalesce(-min(if(l.action in ('RESERVE', 'USAGE'), l.amount, null)), 0) as taken,
        coalesce(sum(if(l.action = 'REFUND', l.amount, 0)), 0) as refunded
      from order_coupon o force index (primary)
      left join coupon_ledger l force index (uq_coupon_ledger__order_coupon_action)
        on l.tenant_id = o.tenant_id and l.order_id = o.order_id and l.coupon_id = o.coupon_id
     where o.tenant_id = :tenant and (o.order_id, o.coupon_id) in (:items)
     group by o.tenant_id, o.order_id, o.coupon_id, o.amount`,
};

const ENTRIES: RowFacts = {
  name: 'entries of coupons',
  rows: { table: 'coupon_ledger', condition: 't.order_id is not null' },
  sql: `
    select cast(l.id as char) as id, concat(l.order_id, '/', l.coupon_id) as subject, l.action, l.amount
      from coupon_ledger l force index (primary)
     where l.tenant_id = :tenant and l.id in (:items) and not exists (
       select 1 from order_coupon o
        where o.tenant_id = l.tenant_id and o.order_id = l.order_id and o.coupon_id = l.coupon_id)`,
};

const TEMPLATES: RowFacts = {
  name: 'coupon templates',
  rows: { table: 'coupon_template', atOnce: 20 },
  sql: `
    select cast(t.id as char) as id, t.issued, (
        select count(*) from user_coupon c force index (ix_user_coupon__template)
         where c.tenant_id = t.tenant_id and c.template_id = t.id) as coupons
      from coupon_template t force index (primary)
     where t.tenant_id = :tenant and t.id in (:items)`,
};

const GRANTS: RowFacts = {
  name: 'grants of coupons',
  rows: { table: 'reward_grant', key: ['redemption_id'], repeats: true, condition: `t.type = 'COUPON'` },
  sql: `
    select cast(g.redemption_id as char) as id, concat(g.redemption_id, '/', g.reward_no) as subject
      from reward_grant g force index (primary)
      left join redemption r on r.tenant_id = g.tenant_id and r.id = g.redemption_id
      left join user_coupon c on c.tenant_id = g.tenant_id and c.id = g.target_id
        and c.redemption_id = g.redemption_id and c.reward_no = g.reward_no
        and c.user_id = coalesce(r.user_id, c.user_id) and c.template_id = cast(g.source_id as unsigned)
     where g.tenant_id = :tenant and g.redemption_id in (:items) and g.type = 'COUPON' and c.id is null`,
};

/** Whether the order that holds a coupon still waits for payment is judged beside the orders. */
export const COUPON_CHECKS: readonly RowCheck[] = [
  {
    kind: 'COUPON_BALANCE_DIFFERS',
    invariant: 'I4',
    means: 'The balance of a coupon is not the sum of its ledger.',
    remedy: 'Find the change that bypassed the program; then set user_coupon.balance to the sum.',
    facts: COUPONS,
    wrong: "issues <> 1 or balance <> if(kind = 'AMOUNT', booked, 0)",
  },
  {
    kind: 'COUPON_STATUS_DIFFERS',
    invariant: 'I4',
    means:
      'The status of a coupon is not what its ledger says: it is held or used by an order that has not taken it.',
    remedy:
      'Find the change that bypassed the program; then set status and order by the last entry of the ledger.',
    facts: COUPONS,
    wrong: `case when kind = 'AMOUNT'
        then status = 'RESERVED' or status = 'USED' and balance <> 0 or status = 'AVAILABLE' and balance = 0
        else status = 'RESERVED' and reservations <> 1 or status = 'USED' and usages <> 1 end`,
  },
  {
    kind: 'COUPON_WITHOUT_GRANT',
    invariant: 'I5',
    means: 'A coupon was issued by a reward that was not granted.',
    remedy: 'Both are written by one transaction: find out what removed the grant.',
    facts: REWARDS,
  },
  {
    kind: 'COUPON_BOOKING_DIFFERS',
    invariant: 'I4',
    means: 'What an order took from a coupon, or gave back to it, differs between its row and the ledger.',
    remedy: 'Find the change that bypassed the program; the ledger is never changed, so trust it.',
    facts: ORDER_COUPONS,
    wrong: 'taken <> amount or refunded <> 0 and refunded <> amount',
  },
  {
    kind: 'COUPON_BOOKING_MISSING',
    invariant: 'I4',
    means: 'The ledger knows of an order that took from a coupon, and the order has no row of it.',
    remedy: 'Restore order_coupon from the entry. What the order gives back is right all the same.',
    facts: ENTRIES,
  },
  {
    kind: 'ISSUED_COUPONS_DIFFER',
    invariant: 'I1',
    means: 'A template counts other coupons than there are; its limit is judged by the counter.',
    remedy: 'While none are issued, set coupon_template.issued to the number of its coupons.',
    facts: TEMPLATES,
    wrong: 'issued <> coupons',
  },
  {
    kind: 'COUPON_MISSING',
    invariant: 'I5',
    means: 'A granted coupon is missing, or is of another user or template.',
    remedy: 'Restore the coupon from a backup, or issue another one by hand.',
    facts: GRANTS,
  },
];
