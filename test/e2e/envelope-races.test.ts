import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standingCluster, type Cluster } from '../support/cluster.js';
import type { EncryptedReply } from '../support/encrypted-client.js';
import { clientOf, encryptingTenant, redeemBody } from '../support/envelope-world.js';
import { truthOf } from '../support/truth.js';

const ROUNDS = 6;
const AT_ONCE = 50;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

describe('the same envelope at the same time', () => {
  it('S1.10: is executed exactly once of 50, over two processes', async () => {
    const { world, urls } = cluster;
    const tenant = await encryptingTenant(world, ROUNDS);
    const client = clientOf(tenant, urls[0]);
    await client.post('/graphql', { query: '{ __typename }' });
    const outcomes: Record<string, number> = {};
    for (const code of tenant.codes) {
      const { headers, envelope } = client.seal('/graphql', redeemBody(code));
      const body = JSON.stringify(envelope);
      const send = async (_: unknown, at: number): Promise<string> => {
        const reply = await fetch(`${urls[at % 2] ?? ''}/graphql`, { method: 'POST', headers, body });
        const answer = (await reply.json()) as EncryptedReply['body'] & { nonce: string; data: never };
        if (reply.headers.get('x-encryption') === null)
          return `${reply.status} ${answer.errors?.[0]?.extensions.code}`;
        const plain = client.open('/graphql', envelope.nonce, reply.status, answer);
        const { data } = JSON.parse(plain) as { data: { redeemCode: { status: string } } };
        return data.redeemCode.status;
      };
      for (const outcome of await Promise.all(Array.from({ length: AT_ONCE }, send)))
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    expect(outcomes).toEqual({ COMMITTED: ROUNDS, '409 ENVELOPE_REPLAYED': ROUNDS * (AT_ONCE - 1) });
    expect((await truthOf(world, tenant.tenantId)).committed).toHaveLength(ROUNDS);
  });
});
