import { createHmac } from 'node:crypto';
import { seal, unseal } from '../../platform/sealed-bytes.js';
import { sealingKey, type SealingKey } from '../../platform/sealed-secrets.js';
import type { Logger } from '../../platform/observability/log.js';
import { NO_SECRETS, type SettingSecrets } from './setting-sections.js';
import type { TenantSettingsRow } from './tenant-settings.entity.js';

type Sealed = Pick<TenantSettingsRow, 'sealedSecrets' | 'keyId'>;

/**
 * The secrets of a tenant's settings as its row holds them: encrypted by a key that is made of the pepper and the
 * tenant, and is not in the database. A copy of the database alone opens none of them.
 */
export class SealedSettings {
  /** @param keys the peppers of the configuration */
  constructor(
    private readonly keys: readonly SealingKey[],
    private readonly log: Logger,
  ) {}

  /** @param keyId of the active pepper, which every process at work can open with */
  seal(tenantId: string, secrets: SettingSecrets, keyId: number): Sealed {
    if (secrets.captchaSecret === null && Object.keys(secrets.encryptionKeys).length === 0)
      return { sealedSecrets: null, keyId: null };
    const key = keyOf(sealingKey(this.keys, keyId), tenantId);
    return { sealedSecrets: seal(JSON.stringify(secrets), key), keyId };
  }

  /** Without the pepper that sealed them there are no secrets, so what needs one is refused, and nothing else. */
  open(tenantId: string, { sealedSecrets, keyId }: Sealed): SettingSecrets {
    if (sealedSecrets === null || sealedSecrets === undefined) return NO_SECRETS;
    const key = this.keys.find((each) => each.keyId === keyId);
    const opened = key === undefined ? null : unseal(Buffer.from(sealedSecrets), keyOf(key, tenantId));
    if (opened !== null) return JSON.parse(opened.toString()) as SettingSecrets;
    this.log.error({ tenantId, keyId }, 'The secrets of a tenant need a pepper that is not configured.');
    return NO_SECRETS;
  }
}

/** No code has the same digest: a code holds no zero. */
function keyOf({ pepper }: SealingKey, tenantId: string): string {
  return createHmac('sha256', pepper).update(`${tenantId}\0secrets of settings\0`).digest('base64url');
}
