import type { Random } from '../faults/load/random.js';
import type { BadRequest, Target } from './bad-requests.js';

const PATH = '/api/redeem';
const ODD = [
  '\u0000',
  '\ud800',
  '\u202e',
  "' or 1=1 --",
  '\r\nFLUSHALL\r\n',
  ']]--[[',
  '{',
  '🎁',
  '%00',
  '../',
  '\\',
];
const PROTOTYPE = ['__proto__', 'constructor', 'prototype', 'toString'];
const VALUES: readonly unknown[] = [5, true, [], {}, ['A'], 1.5, { $ne: '' }, [[null]], -0, { code: 'A' }];
const TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'text/csv',
  'application/xml',
  'multipart/form-data',
];

type Abuse = (random: Random, target: Target) => BadRequest;

const headersOf = ({ userToken }: Target): Record<string, string> => ({
  'content-type': 'application/json',
  authorization: `Bearer ${userToken}`,
  'x-product-code': 'DEMO',
});

const sent = (target: Target, body: unknown, headers: Record<string, string> = {}): BadRequest => ({
  path: PATH,
  headers: { ...headersOf(target), ...headers },
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});

const odd = (random: Random): string =>
  Array.from({ length: random.between(1, 8) }, () => random.pick(ODD)).join('');

/** Requests that redeem nothing: each is refused before anything is spent. */
const ABUSES: readonly Abuse[] = [
  (random, target) => {
    const whole = JSON.stringify({ code: target.code });
    return sent(target, whole.slice(0, random.between(1, whole.length - 1)));
  },
  (random, target) =>
    sent(target, Buffer.from(Array.from({ length: random.between(1, 200) }, () => random.between(0, 255)))),
  (random, target) => sent(target, { code: odd(random) }),
  (random, target) => sent(target, { code: random.pick(VALUES) }),
  (random, target) =>
    sent(target, { code: target.code, userId: random.pick([...VALUES, odd(random), target.foreignIds[0]]) }),
  (random, target) =>
    sent(target, { code: target.code, [random.pick([...PROTOTYPE, 'tenantId', 'force', odd(random)])]: 1 }),
  (random, target) => sent(target, `{"code":"${target.code}","${random.pick(PROTOTYPE)}":{"polluted":1}}`),
  (random, target) =>
    sent(target, { code: target.code, idempotencyKey: random.pick([odd(random), 'k'.repeat(65), '', ' ']) }),
  (random, target) =>
    sent(target, { code: target.code }, { 'idempotency-key': 'x'.repeat(random.between(65, 500)) }),
  (random, target) =>
    sent(
      target,
      { code: target.code },
      { 'x-product-code': random.pick(['', 'NONE', 'D'.repeat(129), '{']) },
    ),
  (random, target) =>
    sent(
      target,
      { code: target.code },
      { 'x-device-id': random.pick(['a b', 'd'.repeat(65), 'd'.repeat(200)]) },
    ),
  (random, target) =>
    sent(
      target,
      { code: target.code },
      {
        authorization: random.pick([
          '',
          'Bearer',
          'Bearer x',
          `Basic ${target.userToken}`,
          `Bearer ${target.userToken.slice(0, -2)}`,
          `Bearer ${target.staffToken}`,
        ]),
      },
    ),
  (random, target) => sent(target, { code: target.code }, { 'content-type': random.pick(TYPES) }),
  (random, target) =>
    sent(target, { code: target.code }, { 'content-encoding': random.pick(['gzip', 'br', 'zstd']) }),
  (random, target) => sent(target, random.pick(['', ' ', '[]', 'null', '5', '"A"', '[{"code":"A"}]', '{}'])),
  (random, target) => sent(target, { code: 'A'.repeat(random.between(33, 5000)) }),
  (random, target) => ({
    ...sent(target, { code: target.code }),
    method: random.pick(['PUT', 'DELETE', 'PATCH']),
  }),
  (random, target) => ({
    ...sent(target, { code: target.code }),
    path: `${PATH}${random.pick(['/', '/x', '%00', '/../codes.csv', '.json'])}`,
  }),
];

/** One bad request to the REST door. */
export const badDoorRequest: Abuse = (random, target) => random.pick(ABUSES)(random, target);
