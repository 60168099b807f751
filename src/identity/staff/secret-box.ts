import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/**
 * Encrypts secrets that have to be read again, under keys derived from the secrets of tokens. The present secret
 * encrypts; the previous one still decrypts, so that no account is locked out while secrets rotate.
 */
export class SecretBox {
  private readonly keys: readonly Buffer[];

  /** @param purpose separates the keys of different uses */
  constructor(secrets: readonly string[], purpose: string) {
    this.keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES)));
  }

  /** @param owner names the row: a secret copied to another row cannot be opened */
  seal(plain: string, owner: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keys[0] as Buffer, nonce).setAAD(Buffer.from(owner));
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
  }

  /** Null where no key opens it. */
  open(sealed: string, owner: string): { readonly plain: string; readonly isCurrent: boolean } | null {
    const bytes = Buffer.from(sealed, 'base64url');
    for (const [at, key] of this.keys.entries()) {
      const plain = opened(bytes, key, owner);
      if (plain !== null) return { plain, isCurrent: at === 0 };
    }
    return null;
  }
}

function opened(bytes: Buffer, key: Buffer, owner: string): string | null {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(owner));
  try {
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString();
  } catch {
    return null;
  }
}
