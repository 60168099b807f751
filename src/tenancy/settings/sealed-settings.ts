import { createHmac } from 'node:crypto';
import { present } from '../../platform/assert.js';
import { seal, unseal } from '../../platform/sealed-bytes.js';
import type { SealingKey } from '../../platform/sealed-secrets.js';
import type { Em } from '../../platform/database/orm.js';
import type { Logger } from '../../platform/observability/log.js';
import { NO_SECRETS, type SettingSecrets } from './setting-sections.js';
import type { TenantSettingsRow } from './tenant-settings.entity.js';

type Sealed = Pick<TenantSettingsRow, 'sealedSecrets' | 'keyId'>;

/**
 * The secrets of a tenant's settings as its row holds them: encrypted by a key that is made of the pepper and the
 * tenant, and is not in the database. A copy of the database alone opens none of them.
 */
export class SealedSettings {
  /** @param keys the pepper of the configuration first */
  constructor(
    private readonly keys: readonly SealingKey[],
    private readonly log: Logger,
  ) {}

  /** @param keyId of the active pepper, which every process at work can open with */
  seal(tenantId: string, secrets: SettingSecrets, keyId: number): Sealed {
    if (secrets.captchaSecret === null && Object.keys(secrets.encryptionKeys).length === 0)
      return { sealedSecrets: null, keyId: null };
    const key = present(
      this.keys.find((each) => each.keyId === keyId),
      'The active pepper',
    );
    return { sealedSecrets: seal(JSON.stringify(secrets), sealingKey(key, tenantId)), keyId };
  }

  /** Without the pepper that sealed them there are no secrets, so what needs one is refused, and nothing else. */
  open(tenantId: string, { sealedSecrets, keyId }: Sealed): SettingSecrets {
    if (sealedSecrets === null || sealedSecrets === undefined) return NO_SECRETS;
    const key = this.keys.find((each) => each.keyId === keyId);
    const opened = key === undefined ? null : unseal(Buffer.from(sealedSecrets), sealingKey(key, tenantId));
    if (opened !== null) return JSON.parse(opened.toString()) as SettingSecrets;
    this.log.error({ tenantId, keyId }, 'The secrets of a tenant need a pepper that is not configured.');
    return NO_SECRETS;
  }
}

/** The number of the pepper that secrets are to be sealed by; it stays so until the transaction ends. */
export async function activeKeyId(em: Em): Promise<number> {
  const [row]: { keyId: number }[] = await em.execute(
    `select key_id as keyId from code_pepper where state = 'ACTIVE' lock in share mode`,
  );
  return present(row, 'The active pepper').keyId;
}

/** No code has the same digest: a code holds no zero. */
function sealingKey({ pepper }: SealingKey, tenantId: string): string {
  return createHmac('sha256', pepper).update(`${tenantId}\0secrets of settings\0`).digest('base64url');
}
