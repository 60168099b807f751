import { createHash, randomBytes } from 'node:crypto';
import type { PartnerScope } from '../../src/graphql/actor.js';
import { isApiKey } from '../../src/identity/partners/api-key-text.js';
import type { Random } from '../faults/load/random.js';
import type { World } from './world.js';

export interface SeededKey {
  readonly partnerId: string;
  readonly keyId: string;
  /** As the partner's server sends it. */
  readonly key: string;
}

export interface KeyOptions {
  readonly partnerId?: string;
  readonly scopes?: readonly PartnerScope[];
  readonly productCodes?: readonly string[];
  readonly expiresAt?: Date;
}

/** A key of a new partner, or of a known one. */
export async function seedKey(
  { services }: World,
  tenantId: string,
  { partnerId, scopes = ['redeem'], ...rest }: KeyOptions = {},
): Promise<SeededKey> {
  const name = `Partner ${randomBytes(4).toString('hex')}`;
  const id = partnerId ?? (await services.partners.create(tenantId, { name })).id;
  const input = { partnerId: id, name: 'server', scopes, ...rest };
  const { apiKey, key } = await services.apiKeys.create(tenantId, 'eve', input);
  return { partnerId: id, keyId: apiKey.id, key };
}

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** As Relay's compiler writes it: texts by their hashes. */
export const manifestOf = (texts: readonly string[]): string =>
  JSON.stringify(Object.fromEntries(texts.map((text) => [hashOf(text), text])));

/** Replaces the operations of a partner. @returns their version */
export async function register(
  { services }: World,
  tenantId: string,
  partnerId: string,
  texts: readonly string[],
): Promise<number> {
  const manifest = manifestOf(texts);
  const { version } = await services.registeredOperations.register(tenantId, 'eve', { partnerId, manifest });
  return version;
}

/** The form in which clients of persisted queries send the id of an operation. */
export const persisted = (id: string) => ({ persistedQuery: { version: 1, sha256Hash: id } });

export const CREATE_TOKEN = `mutation CreateToken($input: CreateUserTokenInput!) {
  createUserToken(input: $input) { token userId expiresAt errors { code message } }
}`;
export const VIEWER = `query Viewer { viewer { kind partnerId scopes } }`;

/** A key that is no longer one: another character, a missing or an added one, another prefix, a part. */
export function damaged(key: string, random: Random): string {
  const at = random.between(8, key.length - 1);
  const other = random.pick([...'0123456789ABCDEFxyzXYZ!_-.~']);
  const bad = random.pick([
    key.slice(0, at) + other + key.slice(at + 1),
    key.slice(0, at) + key.slice(at + 1),
    key.slice(0, at) + other + key.slice(at),
    key.replace('live', random.pick(['test', 'LIVE', 'lives', ''])),
    key.slice(0, at),
    key + key,
    `rk_live_${other.repeat(random.between(1, 500))}`,
  ]);
  return bad === key || isApiKey(bad) ? damaged(key, random) : bad;
}
