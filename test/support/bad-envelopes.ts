import { createCipheriv, createHash } from 'node:crypto';
import type { Random } from '../faults/load/random.js';
import { sealV1 } from '../../src/platform/crypto/envelope-v1.js';
import { keyOfSecret, sealV2 } from '../../src/platform/crypto/envelope-v2.js';
import type { EncryptedClient, Envelope } from './encrypted-client.js';

/** What a hostile or broken device client sends: headers, and the whole body. */
export interface BadEnvelope {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface EnvelopeTarget {
  readonly client: EncryptedClient;
  readonly operation: object;
  readonly secret: string;
  readonly v1Secret: string;
  readonly foreignToken: string;
}

type Make = (random: Random, target: EnvelopeTarget) => BadEnvelope;

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  '',
  ' ',
  '\u0000',
  'A',
  '__proto__',
  [],
  ['A'],
  {},
  { $ne: null },
  'x'.repeat(5000),
];
const TIME = '18a2b3c4d5e6f708';

function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)));
}

const sealed = ({ client, operation }: EnvelopeTarget) => client.seal('/graphql', operation);

function changed(target: EnvelopeTarget, change: (envelope: Envelope) => object): BadEnvelope {
  const { headers, envelope } = sealed(target);
  return { headers, body: JSON.stringify(change(envelope)) };
}

/** Sealed by the right key for what it says of itself, around any bytes. */
function around(target: EnvelopeTarget, plain: Buffer): BadEnvelope {
  const { headers, envelope } = sealed(target);
  const { kid, ts, nonce, epoch } = envelope;
  const lines = ['redeemkit-v2 request', 'POST', '/graphql', headers['x-tenant-id'], kid, ts, nonce, epoch];
  for (const name of ['authorization', 'x-product-code', 'x-device-id', 'idempotency-key'])
    lines.push(headers[name] ?? '');
  const data = sealV2(plain, keyOfSecret(target.secret), nonce, lines.join('\n'));
  return { headers, body: JSON.stringify({ ...envelope, data }) };
}

/** As v1, without PKCS7. */
function unpaddedV1(plain: string, secret: string): string {
  const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
  const vector = sha256(createHash('md5').update(TIME).digest('hex') + secret).subarray(0, 16);
  const cipher = createCipheriv('aes-256-cbc', sha256(secret), vector).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]).toString('base64');
}

function v1({ client }: EnvelopeTarget, body: object): BadEnvelope {
  const headers = { ...client.headers, 'content-type': 'application/json', 'x-encryption': 'v1' };
  return { headers, body: JSON.stringify(body) };
}

const noJson = (random: Random): Buffer =>
  random.pick([
    Buffer.from('{"query":'),
    Buffer.from('{"__proto__":{"a":1},"query":"{ __typename }"}'),
    Buffer.from([0x22, 0xff, 0x22]),
    Buffer.alloc(0),
    bytes(random, random.between(1, 60)),
  ]);

const makers = {
  'changed bits': (random, target) =>
    changed(target, (envelope) => {
      const data = Buffer.from(envelope.data, 'base64');
      for (let times = random.between(1, 4); times > 0; times -= 1) {
        const at = random.between(1, data.length - 1);
        data[at] = (data[at] ?? 0) ^ (1 << random.between(0, 7));
      }
      // The others may undo each other.
      data[0] = (data[0] ?? 0) ^ random.between(1, 255);
      return { ...envelope, data: data.toString('base64') };
    }),
  'cut and grown data': (random, target) =>
    changed(target, (envelope) => {
      const data = Buffer.from(envelope.data, 'base64');
      const cut = data.subarray(0, random.between(0, data.length - 1));
      const other = random.chance(0.5) ? cut : Buffer.concat([data, bytes(random, random.between(1, 40))]);
      return { ...envelope, data: other.toString('base64') };
    }),
  'fields of other types': (random, target) =>
    changed(target, (envelope) => {
      const field = random.pick(['kid', 'ts', 'nonce', 'data'] as const);
      return { ...envelope, [field]: random.pick(VALUES) };
    }),
  'missing fields': (random, target) =>
    changed(target, (envelope) => {
      const field = random.pick(['kid', 'ts', 'nonce', 'data'] as const);
      return Object.fromEntries(Object.entries(envelope).filter(([name]) => name !== field));
    }),
  'other keys': (random, target) =>
    changed(target, (envelope) => ({
      ...envelope,
      kid: random.pick(['old', 'k2', 'toString', '__proto__', 'K1']),
    })),
  'other nonces': (random, target) =>
    changed(target, (envelope) => ({
      ...envelope,
      nonce: random.pick([
        bytes(random, 12).toString('base64url'),
        bytes(random, random.between(0, 40)).toString('hex'),
        `${envelope.nonce}=`,
        envelope.nonce.slice(1),
      ]),
    })),
  'other epochs': (random, target) =>
    changed(target, (envelope) => ({
      ...envelope,
      epoch: random.pick<unknown>([
        '',
        'x',
        bytes(random, 12).toString('base64url'),
        5,
        null,
        'e'.repeat(99),
      ]),
    })),
  'changed times': (random, target) =>
    changed(target, (envelope) => ({ ...envelope, ts: envelope.ts + random.between(1, 900_000) })),
  'clocks that are wrong': (random, target) => {
    const { client } = target;
    const offsetMs = client.clockOffsetMs;
    client.clockOffsetMs += random.pick([-1, 1]) * random.between(340_000, 2_000_000_000);
    const { headers, envelope } = sealed(target);
    client.clockOffsetMs = offsetMs;
    return { headers, body: JSON.stringify(envelope) };
  },
  'headers that were not sealed': (random, target) => {
    const { headers, envelope } = sealed(target);
    const name = random.pick(['authorization', 'x-product-code', 'x-device-id', 'idempotency-key']);
    const value =
      name === 'authorization' ? `Bearer ${target.foreignToken}` : bytes(random, 6).toString('hex');
    return { headers: { ...headers, [name]: value }, body: JSON.stringify(envelope) };
  },
  'other forms': (random, target) => {
    const { headers, envelope } = sealed(target);
    const version = random.pick(['v0', 'v3', 'V2', 'v1', '', 'true', 'v2;q=1', 'x'.repeat(200)]);
    return { headers: { ...headers, 'x-encryption': version }, body: JSON.stringify(envelope) };
  },
  'bodies that are no object': (random, target) => ({
    headers: sealed(target).headers,
    body: random.pick(['null', '5', '"text"', '[]', '[{}]', 'true', JSON.stringify(target.operation)]),
  }),
  'bodies that are no JSON': (random, target) => ({
    headers: sealed(target).headers,
    body: random.pick<string | Buffer>(['', '{', '{"kid":"k1",', bytes(random, random.between(1, 200))]),
  }),
  'well sealed bytes that are no JSON': (random, target) => around(target, noJson(random)),
  'v1 of random blocks': (random, target) =>
    v1(target, { data: bytes(random, 16 * random.between(0, 8)).toString('base64'), time: TIME }),
  'v1 of any length': (random, target) =>
    v1(target, { data: bytes(random, random.between(0, 100)).toString('base64'), time: TIME }),
  'v1 with a changed block': (random, target) => {
    const data = Buffer.from(sealV1(JSON.stringify(target.operation), target.v1Secret, TIME), 'base64');
    // Bytes of a text in ASCII: the highest bit makes it no UTF-8.
    const at = random.between(0, 15);
    data[at] = (data[at] ?? 0) ^ 0x80;
    return v1(target, { data: data.toString('base64'), time: TIME });
  },
  'v1 of another secret': (random, target) =>
    v1(target, {
      data: sealV1(JSON.stringify(target.operation), bytes(random, 8).toString('hex'), TIME),
      time: TIME,
    }),
  'v1 of another time': (random, target) =>
    v1(target, {
      data: sealV1(JSON.stringify(target.operation), target.v1Secret, TIME),
      time: bytes(random, 8).toString('hex'),
    }),
  'v1 of bytes that are no JSON': (random, target) =>
    v1(target, { data: sealV1(noJson(random), target.v1Secret, TIME), time: TIME }),
  'v1 of an operation that is not padded': (random, target) => {
    const text = JSON.stringify(target.operation);
    // Blanks at the end keep it JSON, and a space is no length of a padding.
    const blanks = 16 - (Buffer.byteLength(text) % 16);
    const plain = `${text}${random.pick([' ', '\n', '\t']).repeat(blanks - 1)} `;
    return v1(target, { data: unpaddedV1(plain, target.v1Secret), time: TIME });
  },
  'v1 with fields of other types': (random, target) =>
    v1(target, { data: random.pick(VALUES), time: random.pick(VALUES) }),
} as const satisfies Record<string, Make>;

export const BAD_ENVELOPE_CLASSES = Object.keys(makers) as readonly (keyof typeof makers)[];

export function badEnvelope(kind: keyof typeof makers, random: Random, target: EnvelopeTarget): BadEnvelope {
  return makers[kind](random, target);
}
