import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../faults/load/random.js';
import {
  badEnvelope,
  BAD_ENVELOPE_CLASSES,
  type BadEnvelope,
  type EnvelopeTarget,
} from '../support/bad-envelopes.js';
import type { EncryptedReply } from '../support/encrypted-client.js';
import {
  clientOf,
  encryptingTenant,
  openEnvelopeWorld,
  redeemBody,
  SECRET,
  V1_SECRET,
  type EncryptingTenant,
  type EnvelopeWorld,
} from '../support/envelope-world.js';
import { signedUser } from '../support/cluster.js';
import { truthOf } from '../support/truth.js';

const SEED = 20_261_129;
const EACH = 40;

let its: EnvelopeWorld;
let tenant: EncryptingTenant;
let target: EnvelopeTarget;
beforeAll(async () => {
  its = await openEnvelopeWorld();
  tenant = await encryptingTenant(its.world, 1);
  const client = clientOf(tenant, its.server.address);
  await client.post('/graphql', { query: '{ __typename }' });
  const { token: foreignToken } = await signedUser(its.world, tenant.tenantId);
  target = {
    client,
    operation: redeemBody(tenant.codes[0]),
    secret: SECRET,
    v1Secret: V1_SECRET,
    foreignToken,
  };
});
afterAll(async () => its?.close());

const ALLOWED = new Set(['INVALID_CIPHERTEXT', 'ENVELOPE_EXPIRED', 'BAD_REQUEST']);

async function send({ headers, body }: BadEnvelope) {
  const reply = await fetch(`${its.server.address}/graphql`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const text = await reply.text();
  const { errors } = JSON.parse(text) as EncryptedReply['body'];
  return {
    status: reply.status,
    text,
    code: errors?.[0]?.extensions.code ?? '',
    sealed: reply.headers.get('x-encryption'),
  };
}

const nonces = async (): Promise<string[]> => its.world.stores.redis.keys(`{${tenant.tenantId}}:envelope:*`);

describe('bad envelopes', () => {
  it.each(BAD_ENVELOPE_CLASSES.map((kind, at) => [kind, at] as const))(
    'S1.9: %s are refused: no fault, nothing written, nothing shown',
    async (kind, at) => {
      const random = new Random(SEED + at);
      const before = await nonces();
      for (let no = 0; no < EACH; no += 1) {
        const bad = badEnvelope(kind, random, target);
        const { status, text, code, sealed } = await send(bad);
        const seen = `${kind} no. ${no}: ${status} ${code}`;
        expect([seen, status, sealed, ALLOWED.has(code)]).toEqual([seen, 400, null, true]);
        for (const plain of [tenant.codes[0] ?? '', 'redeemCode', SECRET, V1_SECRET])
          expect(text).not.toContain(plain);
      }
      const { redemptions, orders, events } = await truthOf(its.world, tenant.tenantId);
      expect({
        redemptions,
        orders,
        redeemed: events.filter(({ type }) => type === 'redemption_settled'),
      }).toEqual({
        redemptions: [],
        orders: [],
        redeemed: [],
      });
      const used = (await nonces()).length - before.length;
      // Only what the key has sealed for this moment is remembered.
      expect(used).toBe(kind === 'well sealed bytes that are no JSON' ? EACH : 0);
    },
  );

  it('S1.9: v1 has one answer for every fault, so that no padding can be guessed', async () => {
    const random = new Random(SEED);
    const texts = new Set<string>();
    for (const kind of BAD_ENVELOPE_CLASSES.filter((name) => name.startsWith('v1')))
      for (let no = 0; no < 10; no += 1) texts.add((await send(badEnvelope(kind, random, target))).text);
    expect(texts.size).toBe(1);
  });

  it('leave the server as it was: a good envelope is executed', async () => {
    const { body } = await target.client.post('/graphql', target.operation);
    expect(body.data?.['redeemCode']).toMatchObject({ status: 'COMMITTED' });
  });
});
