import type { RunningServer } from '../../src/app/server.js';
import { startApi } from './api-server.js';
import {
  newEncryptedClient,
  type ClientSettings,
  type EncryptedClient,
  type EncryptedReply,
} from './encrypted-client.js';
import { signedUser, type SignedUser } from './cluster.js';
import { RedisServer } from './redis-server.js';
import { truthOf } from './truth.js';
import { openWorld, seedCampaign, seedTenant, type World } from './world.js';

export const SECRET = 'a-secret-of-a-test-with-32-chars';
export const V1_SECRET = '123456';

const REDEEM = `mutation ($input: RedeemCodeInput!) {
  redeemCode(input: $input) { status redemption { id } errors { code } } }`;

/** A server with envelopes, on a Redis of its own that may be emptied and stopped. */
export interface EnvelopeWorld {
  readonly redis: RedisServer;
  readonly world: World;
  readonly server: RunningServer;
  close(): Promise<void>;
}

export async function openEnvelopeWorld(environment: Record<string, string> = {}): Promise<EnvelopeWorld> {
  const redis = await RedisServer.start();
  const urls = { redisUrl: redis.url };
  const world = await openWorld({}, urls);
  const server = await startApi(environment, urls);
  const close = async (): Promise<void> => {
    await server.stop();
    await world.close();
    await redis.close();
  };
  return { redis, world, server, close };
}

export interface EncryptingTenant {
  readonly tenantId: string;
  readonly codes: readonly string[];
  readonly user: SignedUser;
}

/** A tenant whose devices encrypt by the keys k1 and old, with codes and one user. */
export async function encryptingTenant(
  world: World,
  count: number,
  device: Record<string, unknown> = {},
): Promise<EncryptingTenant> {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const encryptionKeys = [
    { id: 'k1', secret: SECRET },
    { id: 'old', secret: V1_SECRET },
  ];
  await world.services.settingChanges.update(tenantId, {
    device: { encryptionEnabled: true, encryptionKeys, encryptionV1KeyId: 'old', ...device },
  });
  const { codes } = await seedCampaign(world, tenant, Math.max(count, 1));
  return { tenantId, codes, user: await signedUser(world, tenantId) };
}

export function clientOf(
  { tenantId, user }: EncryptingTenant,
  url: string,
  more: Partial<ClientSettings> = {},
): EncryptedClient {
  const headers = { authorization: `Bearer ${user.token}`, 'x-product-code': 'DEMO' };
  return newEncryptedClient({ url, tenantId, keyId: 'k1', secret: SECRET, headers, ...more });
}

export const redeemBody = (code: string | undefined) => ({ query: REDEEM, variables: { input: { code } } });

export const VIEWER = { query: '{ viewer { kind tenantId } }' };

export const codeOf = ({ body }: Pick<EncryptedReply, 'body'>): string | undefined =>
  body.errors?.[0]?.extensions.code;

/** Sends what is already sealed, as an attacker with a copy of it does. */
export async function sendSealed(
  url: string,
  { headers, envelope }: { headers: Record<string, string>; envelope: unknown },
  path = '/graphql',
): Promise<{ status: number; text: string; code: string | undefined; isSealed: boolean }> {
  const reply = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(envelope) });
  const text = await reply.text();
  const body = JSON.parse(text) as EncryptedReply['body'];
  return { status: reply.status, text, code: codeOf({ body }), isSealed: reply.headers.has('x-encryption') };
}

/** A client that knows the epoch already. */
export async function readyClient(
  tenant: EncryptingTenant,
  url: string,
  more: Partial<ClientSettings> = {},
): Promise<EncryptedClient> {
  const client = clientOf(tenant, url, more);
  const { isSealed } = await client.post('/graphql', VIEWER);
  if (!isSealed) throw new Error('The server does not open envelopes of this client.');
  return client;
}

/** Redemptions that stand in the tenant's tables. */
export async function committedOf(world: World, { tenantId }: EncryptingTenant): Promise<number> {
  return (await truthOf(world, tenantId)).committed.length;
}
