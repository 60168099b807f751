import { createHmac } from 'node:crypto';
import { present } from './assert.js';
import type { Em } from './database/orm.js';
import { seal, unseal } from './sealed-bytes.js';

/**
 * The number of the pepper that secrets are to be sealed by: the active one, which every process at work can open with.
 * It stays so until the transaction ends.
 */
export async function activeKeyId(em: Em): Promise<number> {
  const [row]: { keyId: number }[] = await em.execute(
    `select key_id as keyId from code_pepper where state = 'ACTIVE' lock in share mode`,
  );
  return present(row, 'The active pepper').keyId;
}

/** @throws InvariantError for the number of a pepper that is not configured */
export function sealingKey(keys: readonly SealingKey[], keyId: number): SealingKey {
  return present(
    keys.find((each) => each.keyId === keyId),
    'The active pepper',
  );
}

/** A key of the configuration and the number that is stored with what it encrypts. */
export interface SealingKey {
  readonly keyId: number;
  readonly pepper: string;
}

/** For a rotation of the pepper: seals the secrets of a feature by the active one. Any number may run at once. */
export type SecretResealing = () => Promise<unknown>;

const KEY_ID_BYTES = 4;

/**
 * Encrypts secrets that the program must be able to read again. Each purpose has a key of its own, made of the pepper
 * of codes, which is not in the database. What is stored begins with the number of the pepper.
 */
export class SealedSecrets {
  /** @param keys the peppers of the configuration */
  constructor(private readonly keys: readonly SealingKey[]) {}

  /**
   * @param purpose names the row and the column, so that a stored secret is of no use in another place
   * @param keyId as {@link activeKeyId} gives it in the transaction that stores the secret
   */
  seal(purpose: string, secret: string, keyId: number): Buffer {
    const key = sealingKey(this.keys, keyId);
    return Buffer.concat([keyIdBytes(keyId), seal(secret, keyOf(key, purpose))]);
  }

  /** @returns null where the pepper is not configured, or the bytes are not those that were sealed for this purpose */
  open(purpose: string, stored: Uint8Array): string | null {
    const sealed = Buffer.from(stored);
    const keyId = sealed.readUInt32BE(0);
    const key = this.keys.find((each) => each.keyId === keyId);
    if (key === undefined) return null;
    return unseal(sealed.subarray(KEY_ID_BYTES), keyOf(key, purpose))?.toString() ?? null;
  }

  /** Whether the pepper with this number has sealed it. */
  isUnder(keyId: number, stored: Uint8Array): boolean {
    return Buffer.from(stored).subarray(0, KEY_ID_BYTES).equals(keyIdBytes(keyId));
  }
}

function keyIdBytes(keyId: number): Buffer {
  const bytes = Buffer.alloc(KEY_ID_BYTES);
  bytes.writeUInt32BE(keyId);
  return bytes;
}

/** No digest of a code is the same: a code holds no zero byte, and neither does a tenant before it. */
function keyOf({ pepper }: SealingKey, purpose: string): string {
  return createHmac('sha256', pepper).update(`\0sealed secret\0${purpose}`).digest('base64url');
}
