import 'reflect-metadata';
import { expect, it } from 'vitest';
import type { RunningServer } from '../../src/app/server.js';
import { startApi } from '../support/api-server.js';
import { signedUsers, type SignedUser } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

let world: World;
let server: RunningServer;
openBeforeAll(async (closing) => {
  world = await closing(openWorld());
  server = await closing(startApi({ TRUST_PROXY: '127.0.0.0/8,10.0.0.0/8' }));
});

const REDEEM = `mutation ($code: String!) { redeemCode(input: { code: $code }) { status errors { code } } }`;

interface Answer {
  readonly redeemCode: { readonly status: string; readonly errors: readonly { readonly code: string }[] };
}

it('X.19 the address of a caller is what the trusted networks say, however the caller fakes it', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  // Two attempts an hour for one address, one for one user and one device.
  await world.services.lines.create(tenantId, { code: 'SHOP', name: 'Shop', hourLimit: 4, dayLimit: 0 });
  const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 0 } });
  const users = await signedUsers(world, tenantId, 8);
  const redeem = async (user: SignedUser | undefined, headers: Record<string, string>): Promise<string> => {
    const { data } = await graphqlRequest<Answer>(server.address, {
      token: user?.token ?? '',
      query: REDEEM,
      variables: { code: codes[0] },
      headers: { 'x-product-code': 'SHOP', ...headers },
    });
    return data?.redeemCode.errors[0]?.code ?? data?.redeemCode.status ?? 'NOTHING';
  };
  const from = (forwarded: string) => ({ 'x-forwarded-for': forwarded });
  expect(await redeem(users[0], from('203.0.113.5'))).toBe('COMMITTED');
  expect(await redeem(users[1], from('198.51.100.9, 203.0.113.5'))).toBe('COMMITTED');
  expect(await redeem(users[2], from('203.0.113.77, 203.0.113.5'))).toBe('RATE_LIMITED');
  expect(await redeem(users[3], { ...from('203.0.113.6, 10.1.2.3'), 'x-device-id': 'd' })).toBe('COMMITTED');
  // The device has had its attempt, from whatever address.
  expect(await redeem(users[4], { ...from('203.0.113.7'), 'x-device-id': 'd' })).toBe('RATE_LIMITED');
  expect(await redeem(users[5], from('203.0.113.6'))).toBe('COMMITTED');
});
