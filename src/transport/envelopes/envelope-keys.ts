import type { KeyObject } from 'node:crypto';
import { keyOfSecret } from '../../platform/crypto/envelope-v2.js';
import type { TenantSettings } from '../../tenancy/settings/tenant-settings.service.js';

/** What a tenant's clients encrypt by. */
export interface EnvelopeKeys {
  readonly byId: ReadonlyMap<string, KeyObject>;
  /** Of clients that speak v1; null where v1 is refused. */
  readonly v1Secret: string | null;
}

const kept = new WeakMap<TenantSettings, EnvelopeKeys | null>();

/** Made once for each reading of the settings. @returns null where the tenant has no encrypted transmission */
export function envelopeKeysOf(settings: TenantSettings | null): EnvelopeKeys | null {
  if (settings === null) return null;
  let keys = kept.get(settings);
  if (keys === undefined) {
    keys = made(settings);
    kept.set(settings, keys);
  }
  return keys;
}

function made({ device, secrets }: TenantSettings): EnvelopeKeys | null {
  const { encryptionEnabled, encryptionV1KeyId: v1KeyId } = device;
  const byId = new Map(
    Object.entries(secrets.encryptionKeys).map(([id, secret]) => [id, keyOfSecret(secret)] as const),
  );
  // Also where the pepper is missing that the secrets were sealed by.
  if (!encryptionEnabled || byId.size === 0) return null;
  const v1Secret = v1KeyId === null ? undefined : secrets.encryptionKeys[v1KeyId];
  return { byId, v1Secret: v1Secret ?? null };
}
