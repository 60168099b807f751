import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { EncryptedReply } from '../support/encrypted-client.js';
import { clientOf, encryptingTenant, redeemBody } from '../support/envelope-world.js';
import { startProcess, type RunningProcess } from '../support/processes.js';
import { truthOf } from '../support/truth.js';
import { openWorld, type World } from '../support/world.js';

const ROUNDS = 6;
const AT_ONCE = 50;

let world: World;
let apis: readonly RunningProcess[];
beforeAll(async () => {
  world = await openWorld();
  const urls = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
  const start = async () =>
    startProcess({ role: 'api', ...urls, environment: { STORE_TIMEOUT_MS: '10000' } });
  apis = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await Promise.all(apis.map(async (api) => api.stop()));
  await world.close();
});

describe('the same envelope at the same time', () => {
  it('S1.10: is executed exactly once of 50, over two processes', async () => {
    const tenant = await encryptingTenant(world, ROUNDS);
    const client = clientOf(tenant, apis[0]?.url ?? '');
    await client.post('/graphql', { query: '{ __typename }' });
    const outcomes: Record<string, number> = {};
    for (const code of tenant.codes) {
      const { headers, envelope } = client.seal('/graphql', redeemBody(code));
      const body = JSON.stringify(envelope);
      const send = async (_: unknown, at: number): Promise<string> => {
        const reply = await fetch(`${apis[at % 2]?.url ?? ''}/graphql`, { method: 'POST', headers, body });
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
