import type { Random } from '../faults/load/random.js';
import { BAD_ORDERS, mutationOf, spoiledInput, type BadOrder, type OrderTarget } from './bad-orders.js';

/** What a hostile or broken client sends over HTTP. */
export interface BadRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What requests are made with: tokens and names of the tenant that is attacked, and of another one. */
export interface Target {
  readonly tenantId: string;
  readonly userToken: string;
  readonly staffToken: string;
  /** A code that could be redeemed. */
  readonly code: string;
  /** Ids of rows of another tenant. */
  readonly foreignIds: readonly string[];
  readonly orders: OrderTarget;
}

type Make = (random: Random, target: Target) => BadRequest;

const REDEEM = `mutation ($input: RedeemCodeInput!) {
  redeemCode(input: $input) { status orderNo errors { code message } } }`;

const json = { 'content-type': 'application/json' };
const asUser = ({ userToken }: Target) => ({
  ...json,
  authorization: `Bearer ${userToken}`,
  'x-product-code': 'DEMO',
});
const asStaff = ({ staffToken }: Target) => ({ ...json, authorization: `Bearer ${staffToken}` });

function asked(headers: Record<string, string>, query: string, variables: unknown = {}): BadRequest {
  return { headers, body: JSON.stringify({ query, variables }) };
}

const redeem = (target: Target, input: unknown, headers: Record<string, string> = {}): BadRequest =>
  asked({ ...asUser(target), ...headers }, REDEEM, { input });

function bytes(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.between(1, most) }, () => random.between(0, 255)));
}

function text(random: Random, characters: readonly string[], most = 24): string {
  return Array.from({ length: random.between(1, most) }, () => random.pick(characters)).join('');
}

/** The good code with one character replaced by another that only looks like it, or is no letter at all. */
function spoiledCode(random: Random, code: string, others: readonly string[]): string {
  const at = random.between(0, code.length - 1);
  return code.slice(0, at) + random.pick(others) + code.slice(at + 1);
}

const LOOK_ALIKES = ['А', 'В', 'Е', 'К', 'М', 'Н', 'Р', 'С', 'Т', 'Х', 'É', 'ß', 'Ω', '\u0301'];
const INVISIBLE = ['\u0000', '\u0007', '\ud800', '\udfff', '\u202e', '\u2028', '\ufffe', '🎁', '\u3164'];
const SQL = [
  "'",
  '"',
  '--',
  ';',
  '/*',
  '*/',
  ' or 1=1',
  'union select',
  '\\',
  '%',
  '_',
  'sleep(9)',
  '`',
  ')',
];
const REDIS = [
  '\r\n',
  '*3\r\n$3\r\nSET\r\n',
  'FLUSHALL',
  '{',
  '}',
  ':',
  '|',
  '\0',
  'EVAL',
  "redis.call('DEL','x')",
];
const LUA = [']]', '--[[', '%s', 'KEYS[1]', 'os.exit()', 'return 1', '\\n', '"..', 'unpack', '$'];
const WIDE_NUMBERS = [
  '1e309',
  '-1e309',
  '9007199254740993',
  '-2147483649',
  '2147483648',
  '1.5',
  '-0',
  '1e-7',
];
const OPERATORS = ['$ne', '$gt', '$in', '$or', '$where', '$regex', '$exists', '$expr', '$not', '$fulltext'];
const PROTOTYPE = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];

const makers = {
  'malformed JSON': (random, target) => {
    const whole = JSON.stringify({ query: REDEEM, variables: { input: { code: target.code } } });
    const at = random.between(1, whole.length - 2);
    const body = random.chance(0.5) ? whole.slice(0, at) : `${whole.slice(0, at)}\u0001${whole.slice(at)}`;
    return { headers: asUser(target), body };
  },
  'bytes that are no UTF-8': (random, target) => {
    const whole = Buffer.from(JSON.stringify({ query: `{ __typename }`, variables: { a: target.code } }));
    whole[random.between(30, whole.length - 4)] = random.pick([0x80, 0xc0, 0xf5, 0xff]);
    return { headers: asUser(target), body: whole };
  },
  'random bytes': (random, target) => ({ headers: asUser(target), body: bytes(random, 300) }),
  'look-alikes in a code': (random, target) =>
    redeem(target, { code: spoiledCode(random, target.code, LOOK_ALIKES) }),
  'invisible characters in a code': (random, target) =>
    redeem(target, { code: spoiledCode(random, target.code, INVISIBLE) }),
  'codes of any length': (random, target) => redeem(target, { code: 'A'.repeat(random.between(33, 3000)) }),
  'SQL in a code and a key': (random, target) =>
    redeem(target, { code: text(random, SQL), idempotencyKey: text(random, SQL) }),
  'the protocol of Redis in a code and a key': (random, target) =>
    redeem(target, { code: text(random, REDIS), idempotencyKey: text(random, REDIS) }),
  'Lua in a code and a key': (random, target) =>
    redeem(target, { code: text(random, LUA), idempotencyKey: text(random, LUA) }),
  'operators in the place of values': (random, target) =>
    random.chance(0.5)
      ? redeem(target, { code: { [random.pick(OPERATORS)]: '' } })
      : asked(asStaff(target), 'query ($f: RefusedAttemptFilter) { attempts(filter: $f) { total } }', {
          f: { userId: { [random.pick(OPERATORS)]: null } },
        }),
  'keys of prototypes': (random, target) => ({
    headers: asUser(target),
    body: `{"query":${JSON.stringify(REDEEM)},"${random.pick(PROTOTYPE)}":{"polluted":1},"variables":{"input":{"code":"A","${random.pick(PROTOTYPE)}":{"polluted":${random.between(0, 9)}}}}}`,
  }),
  'values of other types': (random, target) =>
    redeem(target, { code: random.pick<unknown>([5, true, null, [], {}, ['A'], 1.5, [[null]]]) }),
  'fields that are not there': (random, target) =>
    redeem(target, { code: target.code, [random.pick(['userId', 'tenantId', 'force', 'code2'])]: '1' }),
  'deep documents': (random, target) => {
    const depth = random.between(13, 60);
    return asked(
      asStaff(target),
      `{ codes { items { ${'campaign { codes { '.repeat(depth)}id${' } }'.repeat(depth)} } } }`,
    );
  },
  'many aliases': (random, target) => {
    const aliases = Array.from({ length: random.between(16, 80) }, (_, at) => `a${at}: __typename`);
    return asked(asUser(target), `{ ${aliases.join(' ')} }`);
  },
  'many mutations in one document': (random, target) => {
    const aliases = Array.from(
      { length: random.between(16, 60) },
      (_, at) => `a${at}: redeemCode(input: { code: "${target.code}" }) { status }`,
    );
    return asked(asUser(target), `mutation { ${aliases.join(' ')} }`);
  },
  'fragments in a circle': (random, target) => {
    const length = random.between(1, 8);
    const cycle = Array.from({ length }, (_, at) => `fragment f${at} on Query { ...f${(at + 1) % length} }`);
    return asked(asUser(target), `{ ...f0 } ${cycle.join(' ')}`);
  },
  'too many tokens': (random, target) =>
    asked(asUser(target), `{ ${'__typename '.repeat(random.between(2001, 2600))} }`),
  'documents cut at random': (random, target) =>
    asked(asUser(target), REDEEM.slice(0, random.between(1, REDEEM.length - 2)), { input: { code: 'A' } }),
  'numbers beyond their types': (random, target) => ({
    headers: asStaff(target),
    body: `{"query":"query ($p: Int, $s: Int) { codes(page: $p, size: $s) { total } }","variables":{"p":${random.pick(WIDE_NUMBERS)},"s":${random.pick(WIDE_NUMBERS)}}}`,
  }),
  'limits that are none': (random, target) =>
    asked(
      asStaff(target),
      'mutation ($i: SetRateLimitInput!) { setRateLimit(input: $i) { errors { code } } }',
      {
        i: {
          productCode: random.pick(['NONE', '', text(random, SQL), 'x'.repeat(500)]),
          scope: random.pick(['USER', 'IP', 'TENANT', 'user', 5]),
          hourLimit: random.pick([-1, 5, '5', 1.5]),
        },
      },
    ),
  'campaigns that are none': (random, target) =>
    asked(
      asStaff(target),
      'mutation ($i: CreateCampaignInput!) { createCampaign(input: $i) { errors { code } } }',
      {
        i: {
          name: text(random, INVISIBLE),
          rule: random.pick<unknown>(['{', {}, [], { length: -1 }, null, 5]),
        },
      },
    ),
  'forged tokens': (random, target) => {
    const [head = '', body = '', seal = ''] = target.userToken.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const changed = seal.slice(0, random.between(0, seal.length - 2));
    const token = random.pick([
      `${none}.${body}.`,
      `${head}.${body}.${changed}`,
      `${head}.${seal}.${body}`,
      body,
      'x.y.z',
    ]);
    return {
      ...redeem(target, { code: target.code }),
      headers: { ...asUser(target), authorization: `Bearer ${token}` },
    };
  },
  'tokens of the wrong kind': (_random, target) =>
    asked({ ...asStaff(target), 'x-product-code': 'DEMO' }, REDEEM, { input: { code: target.code } }),
  'ids of another tenant': (random, target) => {
    const id = random.pick([...target.foreignIds, '0', '-1', '18446744073709551616', 'x', '']);
    const name = random.pick(['campaign', 'code', 'batch', 'redemption', 'plan']);
    return asked(asStaff(target), `query ($id: ID!) { ${name}(id: $id) { id } }`, { id });
  },
  'headers that name nothing': (random, target) =>
    redeem(
      target,
      { code: target.code },
      {
        'x-product-code': random.pick([
          '',
          'demo',
          'x'.repeat(random.between(17, 300)),
          '../DEMO',
          "' or 1=1",
        ]),
        'x-device-id': random.pick(['a b', 'd'.repeat(65), '{}', 'x'.repeat(200)]),
      },
    ),
  'idempotency keys that are none': (random, target) =>
    redeem(target, {
      code: target.code,
      idempotencyKey: random.pick(['', ' ', 'k'.repeat(random.between(65, 400)), '\u0000', 'a b', '🎁']),
    }),
  'content types that are not JSON': (random, target) => ({
    headers: {
      ...asUser(target),
      'content-type': random.pick([
        'text/plain',
        'application/xml',
        'multipart/form-data; boundary=x',
        'x',
        'application/json; charset=utf-16',
      ]),
    },
    body: JSON.stringify({ query: `{ __typename, a: "${random.between(0, 9)}" }` }),
  }),
  'other methods and paths': (random, target) => ({
    method: random.pick(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'GET', 'POST']),
    path: random.pick([
      '/graphql/../etc/passwd',
      '/%00',
      '/graphql?query=%7B',
      '/graphql?query=mutation%7Bx%7D',
      '/%c0%ae',
      '/nowhere',
    ]),
    headers: asUser(target),
  }),
  batches: (random, target) => ({
    headers: asUser(target),
    body: JSON.stringify(
      Array.from({ length: random.between(0, 20) }, () => ({
        query: REDEEM,
        variables: { input: { code: target.code } },
      })),
    ),
  }),
  'persisted queries that are none': (random, target) => ({
    headers: asUser(target),
    body: JSON.stringify({
      ...(random.chance(0.5) ? { query: '{ __typename }' } : {}),
      extensions: {
        persistedQuery: {
          version: random.pick<unknown>([1, 2, '1', null]),
          sha256Hash: random.pick<unknown>(['0'.repeat(64), '', 'x', 5, null, 'f'.repeat(63)]),
        },
      },
    }),
  }),
} satisfies Record<string, Make>;

const spoiled =
  ({ mutation, by, good }: BadOrder): Make =>
  (random, target) => {
    const headers = by === 'USER' ? asUser(target) : asStaff(target);
    return asked(headers, mutationOf(mutation), { input: spoiledInput(random, good(target.orders)) });
  };

/** Each class of bad requests by its name. */
export const BAD_REQUESTS: Readonly<Record<string, Make>> = {
  ...makers,
  ...Object.fromEntries(Object.entries(BAD_ORDERS).map(([name, bad]) => [name, spoiled(bad)])),
};
