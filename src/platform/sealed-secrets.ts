import { createHmac } from 'node:crypto';
import { present } from './assert.js';
import { seal, unseal } from './sealed-bytes.js';

/** A key of the configuration and the number that is stored with what it encrypts. */
export interface SealingKey {
  readonly keyId: number;
  readonly pepper: string;
}

const KEY_ID_BYTES = 4;

/**
 * Encrypts secrets that the program must be able to read again. Each purpose has a key of its own, made of the pepper
 * of codes, which is not in the database. What is stored begins with the number of the pepper.
 */
export class SealedSecrets {
  /** @param keys the present pepper first, then previous ones */
  constructor(private readonly keys: readonly SealingKey[]) {}

  /** @param purpose names the row and the column, so that a stored secret is of no use in another place */
  seal(purpose: string, secret: string): Buffer {
    const key = present(this.keys[0], 'The pepper');
    return Buffer.concat([keyIdBytes(key.keyId), seal(secret, keyOf(key, purpose))]);
  }

  /** @returns null where the pepper is not configured, or the bytes are not those that were sealed for this purpose */
  open(purpose: string, stored: Uint8Array): string | null {
    const sealed = Buffer.from(stored);
    const keyId = sealed.readUInt32BE(0);
    const key = this.keys.find((each) => each.keyId === keyId);
    if (key === undefined) return null;
    return unseal(sealed.subarray(KEY_ID_BYTES), keyOf(key, purpose))?.toString() ?? null;
  }

  /** How everything begins that the present pepper has sealed. */
  get presentPrefix(): Buffer {
    return keyIdBytes(present(this.keys[0], 'The pepper').keyId);
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
