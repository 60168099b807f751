import { emOf, type World } from '../support/world.js';
import { TRANSFERS_A_DAY_MAX } from './scene.js';

/** Orders that hold what they took. */
const LIVE = `('PENDING', 'PAID', 'FINISHED')`;

interface Sum {
  readonly says: string;
  /** Selects what contradicts it; `:tenant` stands for the tenant. */
  readonly wrong: string;
}

/** Plain sums over the rows, which know nothing of how the product makes or checks them. */
const SUMS: readonly Sum[] = [
  {
    says: 'the ledger of a facility and a currency sums to zero',
    wrong: `select facility_id, currency, sum(amount) as off from (
        select facility_id, currency, amount from money_entry where tenant_id = :tenant
        union all select facility_id, currency, amount from system_entry where tenant_id = :tenant) l
      group by facility_id, currency having sum(amount) <> 0`,
  },
  {
    says: 'a balance is the sum of its entries, is where the last one left it, and is not below zero',
    wrong: `select a.id, a.balance, a.entry_no, a.halted_at, sum(e.amount) as entered from money_account a
        left join money_entry e on e.tenant_id = a.tenant_id and e.account_id = a.id
       where a.tenant_id = :tenant group by a.tenant_id, a.id, a.balance, a.entry_no, a.halted_at
      having a.balance <> coalesce(sum(e.amount), 0) or a.entry_no <> count(e.id) or a.balance < 0
        or a.halted_at is not null or coalesce(min(e.balance_after), 0) < 0
        or a.balance <> coalesce(max(case when e.entry_no = a.entry_no then e.balance_after end), 0)`,
  },
  {
    says: 'an entry begins where the one before it ended',
    wrong: `select e.account_id, e.entry_no from money_entry e
        left join money_entry p on p.tenant_id = e.tenant_id and p.account_id = e.account_id
          and p.entry_no = e.entry_no - 1
       where e.tenant_id = :tenant and (e.balance_before <> coalesce(p.balance_after, 0)
         or e.balance_before + e.amount <> e.balance_after)`,
  },
  {
    says: 'an order is paid or closed, never both',
    wrong: `select o.id, o.status, o.paid_at, o.closed_at, o.amount from \`order\` o
        left join order_payment p on p.tenant_id = o.tenant_id and p.order_id = o.id and p.outcome = 'ACCEPTED'
       where o.tenant_id = :tenant and o.type <> 'REDEMPTION' group by o.tenant_id, o.id
      having count(p.id) <> (o.paid_at is not null and o.amount > 0)
        or (o.paid_at is not null) <> (o.status in ('FINISHED', 'REFUNDED'))
        or (o.closed_at is not null) <> (o.status in ('CLOSED', 'FAILED'))`,
  },
  {
    says: 'no more is refunded than was paid',
    wrong: `select o.id, o.status, o.amount, o.refunded, sum(r.amount) as refunds from \`order\` o
        join order_refund r on r.tenant_id = o.tenant_id and r.order_id = o.id
       where o.tenant_id = :tenant group by o.tenant_id, o.id
      having sum(r.amount) > o.amount or sum(r.amount) <> o.refunded
        or (o.status = 'REFUNDED') <> (sum(r.amount) = o.amount)`,
  },
  {
    says: 'a coupon is given back once for an order',
    wrong: `select order_id, coupon_id, count(*) as times from coupon_ledger
       where tenant_id = :tenant and action = 'REFUND' group by order_id, coupon_id having count(*) > 1`,
  },
  {
    says: 'what a coupon of an amount has left is what no order holds and no reversal took',
    wrong: `select c.id, c.amount, c.balance from user_coupon c
       where c.tenant_id = :tenant and c.kind = 'AMOUNT' and c.balance <> c.amount
          - (select coalesce(sum(k.amount), 0) from order_coupon k
              join \`order\` o on o.tenant_id = k.tenant_id and o.id = k.order_id and o.status in ${LIVE}
             where k.tenant_id = c.tenant_id and k.coupon_id = c.id)
          + (select coalesce(sum(l.amount), 0) from coupon_ledger l
             where l.tenant_id = c.tenant_id and l.coupon_id = c.id and l.action = 'REVERSAL')`,
  },
  {
    says: 'a coupon without a balance is held by one order at most, and its status says so',
    wrong: `select c.id, c.status, group_concat(o.status) as orders from user_coupon c
        left join order_coupon k on k.tenant_id = c.tenant_id and k.coupon_id = c.id
        left join \`order\` o on o.tenant_id = k.tenant_id and o.id = k.order_id and o.status in ${LIVE}
       where c.tenant_id = :tenant and c.kind <> 'AMOUNT' group by c.tenant_id, c.id
      having count(o.id) > 1 or (c.status = 'RESERVED') <> (coalesce(max(o.status), '') = 'PENDING')
        or (c.status = 'USED') <> (coalesce(max(o.status), '') = 'FINISHED')`,
  },
  {
    says: 'points are the sum of their lots and of their ledger',
    wrong: `select a.user_id, a.balance, l.remaining, b.booked from points_account a
        left join (select user_id, sum(remaining) as remaining from points_lot where tenant_id = :tenant
          group by user_id) l on l.user_id = a.user_id
        left join (select user_id, sum(points) as booked from points_ledger where tenant_id = :tenant
          group by user_id) b on b.user_id = a.user_id
       where a.tenant_id = :tenant and (a.balance <> coalesce(l.remaining, 0) or a.balance <> coalesce(b.booked, 0))`,
  },
  {
    says: 'orders hold the points that they took from the lots',
    wrong: `select o.id, o.points_spent from \`order\` o
        left join order_points k on k.tenant_id = o.tenant_id and k.order_id = o.id
       where o.tenant_id = :tenant and o.points_spent > 0 group by o.tenant_id, o.id
      having coalesce(sum(k.points), 0) <> o.points_spent`,
  },
  {
    says: 'a day has no more transfers than its limit',
    wrong: `select from_user_id, day, count(*) as times from money_transfer
       where tenant_id = :tenant and currency = 'GEM' group by from_user_id, day
      having count(*) > ${TRANSFERS_A_DAY_MAX}`,
  },
  {
    says: 'the uses of a code are within its limit, and are its redemptions that hold one',
    wrong: `select c.id, c.used, c.use_limit, count(r.id) as uses from code c
        left join redemption r on r.tenant_id = c.tenant_id and r.code_id = c.id and r.user_use_no is not null
       where c.tenant_id = :tenant group by c.tenant_id, c.id
      having c.used <> count(r.id) or c.used > c.use_limit`,
  },
];

const SHOWN = 5;

/** @returns what does not hold, in words */
export async function wrongSums(world: World, tenantId: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const { says, wrong: sql } of SUMS) {
    const count = sql.split(':tenant').length - 1;
    const text = sql.replaceAll(':tenant', '?');
    const rows = await emOf(world, tenantId).execute<object[]>(
      text,
      Array.from({ length: count }, () => tenantId),
    );
    if (rows.length > 0)
      wrong.push(`${says}: not so for ${rows.length}, as ${JSON.stringify(rows.slice(0, SHOWN))}`);
  }
  return wrong;
}
