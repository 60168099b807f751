import type { Random } from '../faults/load/random.js';

/** What requests about orders and money name. Each good request of {@link BAD_ORDERS} is refused by the last of its checks. */
export interface OrderTarget {
  readonly userId: string;
  readonly otherUserId: string;
  readonly facilityId: string;
  /** Sold out. */
  readonly planId: string;
  /** PENDING, of a user without a balance. */
  readonly orderNo: string;
  /** REVERSED. */
  readonly redemptionId: string;
  /** Its issue limit is reached. */
  readonly templateId: string;
}

export interface BadOrder {
  readonly mutation: string;
  readonly by: 'USER' | 'STAFF';
  /** What is refused by the last check only. */
  readonly good: (target: OrderTarget) => Readonly<Record<string, unknown>>;
}

/** By the names of their classes. */
export const BAD_ORDERS: Readonly<Record<string, BadOrder>> = {
  'orders that cannot be placed': {
    mutation: 'placeOrder',
    by: 'USER',
    good: ({ planId, facilityId }) => ({
      type: 'PURCHASE',
      sourceType: 'MALL',
      quantity: 1,
      points: 5,
      couponIds: ['1'],
      planId,
      facilityId,
      currency: 'USD',
      idempotencyKey: 'place',
    }),
  },
  'orders that cannot be paid': { mutation: 'payOrder', by: 'USER', good: ({ orderNo }) => ({ orderNo }) },
  'transfers that cannot be made': {
    mutation: 'transfer',
    by: 'USER',
    good: ({ otherUserId: toUserId, facilityId }) => ({
      toUserId,
      facilityId,
      currency: 'USD',
      amount: '5',
      orderId: 'transfer',
    }),
  },
  'reversals that cannot be made': {
    mutation: 'reverseRedemption',
    by: 'STAFF',
    good: ({ redemptionId }) => ({ redemptionId, reason: 'A test', returnUse: true, spent: 'DEBT' }),
  },
  'points that cannot be granted': {
    mutation: 'grantPoints',
    by: 'STAFF',
    good: ({ userId }) => ({
      userId,
      amount: 5,
      expiresAt: '2020-01-01T00:00:00Z',
      idempotencyKey: 'points',
    }),
  },
  'coupons that cannot be issued': {
    mutation: 'issueCoupon',
    by: 'STAFF',
    good: ({ userId, templateId }) => ({ userId, templateId, count: 2, idempotencyKey: 'coupon' }),
  },
};

const HOSTILE: readonly unknown[] = [
  "' or 1=1 -- ",
  '\u0000',
  '\ud800',
  '\u202e\u3164',
  '🎁',
  ']] redis.call("FLUSHALL")',
  '${7*7}{{7*7}}',
  'x'.repeat(5000),
  ' ',
  '',
  '-1',
  '-0.00',
  'NaN',
  'Infinity',
  '1e400',
  '0.12345678901',
  '999999999999999999999',
  '18446744073709551616',
  -1,
  -2_147_483_649,
  Number.MAX_SAFE_INTEGER,
  1.5,
  1e-7,
  true,
  [],
  {},
  [[null]],
  ['1', { $ne: '' }],
  Array.from({ length: 500 }, (_, at) => `${at}`),
  { $gt: '' },
  { toString: 'x' },
  { constructor: { prototype: { polluted: 1 } } },
];

/** A good input with one or more fields that are not, one that is not known, or without one. */
export function spoiledInput(
  random: Random,
  good: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const names = Object.keys(good);
  const input: Record<string, unknown> = { ...good };
  for (let spoiled = 0; spoiled < random.between(1, 3); spoiled += 1)
    input[random.pick(names)] = random.pick(HOSTILE);
  if (random.chance(0.1)) input[random.pick(['tenantId', 'force', 'isNew', 'status'])] = random.pick(HOSTILE);
  if (random.chance(0.1)) Reflect.deleteProperty(input, names[0] ?? '');
  return input;
}

export function mutationOf(name: string): string {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  return `mutation ($input: ${type}!) { ${name}(input: $input) { errors { code message } } }`;
}
