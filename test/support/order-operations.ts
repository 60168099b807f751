import { AUDIT_ANCHORED } from '../../src/audit/audit-anchors.js';
import { CURRENCY, place, rowsOf, type Shop } from './orders.js';
import { FULL_AMOUNT, wantFullAlone, type FullOrder } from './full-orders.js';
import type { World } from './world.js';

/** One order of a shop of its own, and what is to be done with it. */
export interface OrderScene extends FullOrder {
  /** Empty where it is not placed yet. */
  readonly orderNo: string;
}

/** Something that changes an order. Asked again, it answers the same, and changes nothing more. */
export interface OrderOperation {
  readonly name: string;
  prepare(world: World): Promise<OrderScene>;
  /** @returns what callers get to know, in one word */
  ask(world: World, scene: OrderScene): Promise<string>;
  /** Part of {@link tallyOf} when it was done once. */
  readonly once: Readonly<Record<string, number>>;
}

const wanted = async (world: World): Promise<OrderScene> => ({
  ...(await wantFullAlone(world, { inventory: 3 })),
  orderNo: '',
});

async function placed(world: World): Promise<OrderScene> {
  const scene = await wanted(world);
  const { id } = await place(world, scene.shop, scene.userId, scene.input);
  return { ...scene, orderNo: id };
}

async function paid(world: World): Promise<OrderScene> {
  const scene = await placed(world);
  await world.services.payments.pay(scene.shop.tenantId, scene.userId, scene.orderNo);
  return scene;
}

async function closed(world: World): Promise<OrderScene> {
  const scene = await placed(world);
  await world.services.orderClosing.cancel(scene.shop.tenantId, scene.orderNo, scene.userId);
  return scene;
}

/** What a provider tells of the payment of the order. */
export const paymentOf = ({ orderNo }: OrderScene) => ({
  paymentId: `pay-${orderNo}`,
  orderNo,
  amount: String(FULL_AMOUNT),
  currency: CURRENCY,
});

async function callBack({ services }: World, scene: OrderScene): Promise<string> {
  return (await services.payments.receive(scene.shop.tenantId, paymentOf(scene))).outcome;
}

async function refund(world: World, { shop, orderNo }: OrderScene, more: object): Promise<string> {
  const input = { orderNo, reason: 'Late', ...more };
  const { refund: made, order } = await world.services.refunds.refund(shop.tenantId, 'eve', input);
  return `${made.refundNo} of ${Number(made.amount)}, ${order.status}`;
}

const GIVEN_BACK = { 'coupon REFUND': 2, 'points GIVE_BACK': 1, 'points lots': 100 };

export const ORDER_OPERATIONS: readonly OrderOperation[] = [
  {
    name: 'a placement',
    prepare: wanted,
    ask: async (world, { shop, userId, input }) => {
      const order = await place(world, shop, userId, { ...input, idempotencyKey: 'key' });
      return `${order.id} ${order.status}`;
    },
    once: { 'order PENDING': 1, 'coupon USAGE': 1, 'coupon RESERVE': 1, 'points SPEND': 1, inventory: 2 },
  },
  {
    name: 'a payment from the balance',
    prepare: placed,
    ask: async ({ services }, { shop, userId, orderNo }) =>
      (await services.payments.pay(shop.tenantId, userId, orderNo)).status,
    once: {
      'order FINISHED': 1,
      'payment ACCEPTED': 1,
      'entry PAYMENT': 1,
      'event order_paid': 1,
      balance: 0,
    },
  },
  {
    name: 'a payment by the provider',
    prepare: placed,
    ask: callBack,
    once: { 'order FINISHED': 1, 'payment ACCEPTED': 1, 'event order_paid': 1, balance: 84 },
  },
  {
    name: 'a payment by the provider that comes too late',
    prepare: closed,
    ask: callBack,
    once: { 'order CLOSED': 1, 'payment REFUNDED': 1, 'entry REFUND': 1, balance: 168, ...GIVEN_BACK },
  },
  {
    name: 'a cancellation',
    prepare: placed,
    ask: async ({ services }, { shop, userId, orderNo }) =>
      (await services.orderClosing.cancel(shop.tenantId, orderNo, userId)).status,
    once: { 'order CLOSED': 1, 'event order_closed': 1, balance: 84, inventory: 3, ...GIVEN_BACK },
  },
  {
    name: 'a refund of a part',
    prepare: paid,
    ask: async (world, scene) => refund(world, scene, { amount: '20', idempotencyKey: 'key' }),
    once: { 'order FINISHED': 1, refunds: 1, 'entry REFUND': 1, 'event order_refunded': 1, balance: 20 },
  },
  {
    name: 'a whole refund',
    prepare: paid,
    ask: async (world, scene) => refund(world, scene, { idempotencyKey: 'key' }),
    once: { 'order REFUNDED': 1, refunds: 1, 'entry REFUND': 1, balance: 84, inventory: 3, ...GIVEN_BACK },
  },
];

/** Without the anchors of the audit log, which a worker writes when it comes to it. */
const TALLY = `
  select concat('order ', status) as name, count(*) as times from \`order\` where tenant_id = :tenant group by 1
  union all select 'order coupons', count(*) from order_coupon where tenant_id = :tenant
  union all select concat('payment ', outcome), count(*) from order_payment where tenant_id = :tenant group by 1
  union all select 'refunds', count(*) from order_refund where tenant_id = :tenant
  union all select concat('coupon ', action), count(*) from coupon_ledger where tenant_id = :tenant group by 1
  union all select concat('user coupon ', status), count(*) from user_coupon where tenant_id = :tenant group by 1
  union all select concat('points ', action), count(*) from points_ledger where tenant_id = :tenant group by 1
  union all select 'points lots', sum(remaining) from points_lot where tenant_id = :tenant
  union all select concat('entry ', type), count(*) from money_entry where tenant_id = :tenant group by 1
  union all select concat('system entry ', type), count(*) from system_entry where tenant_id = :tenant group by 1
  union all select 'balance', sum(balance) from money_account where tenant_id = :tenant
  union all select concat('subscription ', status), count(*) from subscription where tenant_id = :tenant group by 1
  union all select concat('event ', type), count(*) from outbox_event
    where tenant_id = :tenant and type <> '${AUDIT_ANCHORED}' group by 1
  union all select 'inventory', inventory from plan where tenant_id = :tenant`;

/** How much there is of everything in a shop: the same in two shops where the same has happened as often. */
export async function tallyOf(world: World, shop: Shop): Promise<Record<string, number>> {
  const rows = await rowsOf<{ name: string; times: number | string }>(world, shop, TALLY);
  return Object.fromEntries(rows.map(({ name, times }) => [name, Number(times)]));
}
