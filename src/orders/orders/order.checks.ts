import type { RowCheck, RowFacts } from '../../platform/database/row-check.js';

/** A job and a sweep close an order within two minutes; an hour is longer than any outage should be. */
const OVERDUE = 'utc_timestamp(3) - interval 1 hour';

/** Placed orders, with all that belongs to them. Those of redemptions have no placement. */
const PLACED: RowFacts = {
  name: 'placed orders',
  rows: { table: 'order_placement', key: ['order_id'] },
  sql: `
    select cast(p.order_id as char) as id, o.status, o.amount, o.refunded,
        o.status in ('PAID', 'FINISHED', 'REFUNDED') as isPaid,
        o.status = 'PENDING' as isPending,
        p.due_at is not null as hasDeadline, coalesce(p.due_at < ${OVERDUE}, 0) as isOverdue,
        o.status in ('CLOSED', 'FAILED', 'REFUNDED') and o.points_spent > 0 and not exists (
          select 1 from points_ledger l where l.tenant_id = p.tenant_id and l.order_id = p.order_id
             and l.user_id = o.user_id and l.action = 'GIVE_BACK') as isWithoutPoints,
        if(o.status in ('CLOSED', 'FAILED', 'REFUNDED'), (
          select count(*) from order_coupon c
           where c.tenant_id = p.tenant_id and c.order_id = p.order_id and not exists (
             select 1 from coupon_ledger l where l.tenant_id = c.tenant_id and l.order_id = c.order_id
                and l.coupon_id = c.coupon_id and l.action = 'REFUND')), 0) as couponsOut,
        (select count(*) from order_payment y
          where y.tenant_id = p.tenant_id and y.order_id = p.order_id and y.outcome = 'ACCEPTED') as payments,
        (select coalesce(sum(r.amount), 0) from order_refund r
          where r.tenant_id = p.tenant_id and r.order_id = p.order_id) as refunds
      from order_placement p force index (primary)
      join \`order\` o on o.tenant_id = p.tenant_id and o.id = p.order_id
     where p.tenant_id = :tenant and p.order_id in (:items)`,
};

/** What the ledger should say of a payment: a debit of the balance, or the credit of one that came too late. */
const PAYMENTS: RowFacts = {
  name: 'payments',
  rows: { table: 'order_payment' },
  sql: `
    select cast(y.id as char) as id, concat(y.order_id, '/', y.id) as subject, y.amount, e.amount as booked,
        y.method = 'BALANCE' or y.outcome = 'REFUNDED' as isBooked,
        if(y.outcome = 'REFUNDED', y.amount, -y.amount) as due
      from order_payment y force index (primary)
      join \`order\` o on o.tenant_id = y.tenant_id and o.id = y.order_id
      left join money_account a on a.tenant_id = o.tenant_id and a.user_id = o.user_id
        and a.facility_id = o.facility_id and a.currency = o.currency
      left join money_entry e on e.tenant_id = a.tenant_id and e.account_id = a.id
        and e.type = if(y.outcome = 'REFUNDED', 'REFUND', 'PAYMENT')
        and e.order_id = if(y.outcome = 'REFUNDED', concat(y.order_id, ':late:', y.id), concat(y.order_id, ''))
     where y.tenant_id = :tenant and y.id in (:items)`,
};

const REFUNDS: RowFacts = {
  name: 'refunds',
  rows: { table: 'order_refund', key: ['order_id'], repeats: true, condition: 't.amount > 0' },
  sql: `
    select cast(r.order_id as char) as id, concat(r.order_id, '/', r.refund_no) as subject, r.amount,
        e.amount as booked
      from order_refund r force index (primary)
      join \`order\` o on o.tenant_id = r.tenant_id and o.id = r.order_id
      left join money_account a on a.tenant_id = o.tenant_id and a.user_id = o.user_id
        and a.facility_id = o.facility_id and a.currency = o.currency
      left join money_entry e on e.tenant_id = a.tenant_id and e.account_id = a.id and e.type = 'REFUND'
        and e.order_id = concat(r.order_id, ':', r.refund_no)
     where r.tenant_id = :tenant and r.order_id in (:items) and r.amount > 0`,
};

const RESERVED: RowFacts = {
  name: 'reserved coupons',
  rows: { table: 'user_coupon', condition: `t.status = 'RESERVED'` },
  sql: `
    select cast(c.id as char) as id, cast(c.reserved_order_id as char) as orderNo, o.status as orderStatus
      from user_coupon c force index (primary)
      left join \`order\` o on o.tenant_id = c.tenant_id and o.id = c.reserved_order_id
     where c.tenant_id = :tenant and c.id in (:items) and c.status = 'RESERVED'`,
};

const IN_ONE_TRANSACTION = 'Both are written by one transaction';

export const ORDER_CHECKS: readonly RowCheck[] = [
  {
    kind: 'ORDER_COUPONS_NOT_BACK',
    invariant: 'I4',
    means: 'An order was closed or refunded, and a coupon did not get back what it gave.',
    remedy: `${IN_ONE_TRANSACTION}: find what bypassed the program, and issue the coupon again.`,
    facts: PLACED,
    wrong: 'couponsOut > 0',
  },
  {
    kind: 'ORDER_POINTS_NOT_BACK',
    invariant: 'I4',
    means: 'An order was closed or refunded, and its points did not come back.',
    remedy: `${IN_ONE_TRANSACTION}: find what bypassed the program, and grant the points again.`,
    facts: PLACED,
    wrong: 'isWithoutPoints',
  },
  {
    kind: 'ORDER_PAYMENT_DIFFERS',
    invariant: 'I4',
    means: 'A paid order has no accepted payment or several, or an order that is not paid has one.',
    remedy: `${IN_ONE_TRANSACTION}: restore the order and its payments from a backup.`,
    facts: PLACED,
    wrong: 'payments <> (isPaid and amount > 0)',
  },
  {
    kind: 'ORDER_REFUNDS_DIFFER',
    invariant: 'I4',
    means: 'The refunds of an order are not what it says was refunded, or more than was paid.',
    remedy: `${IN_ONE_TRANSACTION}: restore the order and its refunds from a backup.`,
    facts: PLACED,
    wrong: 'refunds <> coalesce(refunded, 0) or refunds > amount',
  },
  {
    kind: 'ORDER_OVERDUE',
    invariant: 'I4',
    means: 'An order is PENDING an hour after its time was over, and holds coupons, points and inventory.',
    remedy: 'Start a process with the role worker or all; else the log says why the order is not closed.',
    facts: PLACED,
    wrong: 'isPending and isOverdue',
  },
  {
    kind: 'ORDER_DEADLINE_STALE',
    invariant: 'I4',
    means: 'An order that is not PENDING any more still has a time when it is to be closed.',
    remedy: 'Nothing is lost: set order_placement.due_at to null. Then find what moved the order.',
    facts: PLACED,
    wrong: 'hasDeadline and not isPending',
  },
  {
    kind: 'PAYMENT_UNBOOKED',
    invariant: 'I4',
    means: 'A payment from a balance, or one that came too late, is not in the ledger with its amount.',
    remedy: `${IN_ONE_TRANSACTION}, and entries never change: restore both from a backup.`,
    facts: PAYMENTS,
    wrong: 'isBooked and not (booked <=> due)',
  },
  {
    kind: 'REFUND_UNBOOKED',
    invariant: 'I4',
    means: 'A refund is not in the ledger with its amount.',
    remedy: `${IN_ONE_TRANSACTION}, and entries never change: restore both from a backup.`,
    facts: REFUNDS,
    wrong: 'not (booked <=> amount)',
  },
  {
    kind: 'COUPON_RESERVATION_STALE',
    invariant: 'I4',
    means: 'A coupon is reserved by an order that is not PENDING, so its user can never use it.',
    remedy: 'Find what moved the order; then make the coupon AVAILABLE and its reserved_order_id null.',
    facts: RESERVED,
    wrong: `not (orderStatus <=> 'PENDING')`,
  },
];
