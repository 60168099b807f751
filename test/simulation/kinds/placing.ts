import type { PlaceOrderRefusal } from '../../../src/orders/orders/order.errors.js';
import type { Random } from '../../faults/load/random.js';
import type { Actor, Kind, Request } from '../kind.js';
import { placeOf, type Scene, type ScenePlan } from '../scene.js';

const PLAN_TYPES = ['PURCHASE', 'PURCHASE', 'PURCHASE', 'PURCHASE', 'RENEWAL', 'RESET_TRAFFIC'] as const;
const COUPON_COUNTS = [0, 0, 1, 1, 2, 3] as const;
const POINTS = [0, 0, 0, 20, 50, 100] as const;

/** An order, which is then among those that others pay, cancel and refund. */
function placing({ scene, known, model }: Actor, userId: string, input: object): Omit<Request, 'kind'> {
  return {
    says: `${userId} ${JSON.stringify(input)}`,
    send: async ({ services }) => {
      const order = await services.placements.place(scene.tenantId, userId, input);
      model.place(order);
      if ('idempotencyKey' in input) model.isNew(`order of key ${String(input.idempotencyKey)}`, order.id);
      known.of(userId).orders.add(order.id);
      return order.status;
    },
  };
}

export const PLACE_PLAN: Kind = {
  name: 'PLACE_PLAN',
  weight: 16,
  refusals: [
    'TOO_MANY_PENDING_ORDERS',
    'PLAN_CURRENCY_DIFFERS',
    'TRAFFIC_NOT_RESETTABLE',
    'SUBSCRIPTION_NOT_FOUND',
    'PLAN_SOLD_OUT',
    'REWARD_HAS_NO_EFFECT',
    'COUPON_NOT_AVAILABLE',
    'COUPON_EXPIRED',
    'COUPON_CURRENCY_MISMATCH',
    'COUPON_BELOW_THRESHOLD',
    'POINTS_WORTH_NOTHING',
    'POINTS_EXCEED_TOTAL',
    'INSUFFICIENT_POINTS',
  ] satisfies readonly PlaceOrderRefusal[],
  make: (actor) => {
    const { scene, known, draw, name } = actor;
    const userId = known.user(draw);
    const type = draw.pick(PLAN_TYPES);
    const { id: planId, currency } = planOf(scene, type, draw);
    const isOne = type === 'RESET_TRAFFIC' || planId === scene.plans.at(-1)?.id;
    const place = placeOf(scene, draw);
    const input = {
      facilityId: place.facilityId,
      // What is not named is that of the plan; few name another one.
      ...(draw.chance(0.5) && { currency: draw.chance(0.9) ? currency : place.currency }),
      type,
      planId,
      sourceType: draw.pick(['MALL', 'GAME_PASS']),
      quantity: isOne ? 1 : draw.between(1, 2),
      couponIds: known.of(userId).coupons.some(draw, draw.pick(COUPON_COUNTS)),
      points: draw.pick(POINTS),
      ...(draw.chance(0.5) && { idempotencyKey: name }),
    };
    return placing(actor, userId, input);
  },
};

/** Mostly the first one; traffic is sold for that alone, and sometimes asked for where it is not. */
function planOf({ plans }: Scene, type: (typeof PLAN_TYPES)[number], draw: Random): ScenePlan {
  const [first] = plans;
  const isFirst = first !== undefined && draw.chance(type === 'RESET_TRAFFIC' ? 0.8 : 0.5);
  return isFirst ? first : draw.pick(plans);
}

export const PLACE_RECHARGE: Kind = {
  name: 'PLACE_RECHARGE',
  weight: 5,
  refusals: ['TOO_MANY_PENDING_ORDERS'] satisfies readonly PlaceOrderRefusal[],
  make: (actor) => {
    const { scene, known, draw, name } = actor;
    const input = {
      ...placeOf(scene, draw),
      type: 'RECHARGE',
      amount: `${draw.between(1, 60)}`,
      ...(draw.chance(0.5) && { idempotencyKey: name }),
    };
    return placing(actor, known.user(draw), input);
  },
};
