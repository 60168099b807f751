import { EncryptionError } from './errors.js';
import type { Encryption, Sealed, SealedRequest } from './options.js';
import { base64Of, base64UrlOf, bytesOf, bytesOfBase64, textOf } from './text.js';
import { webCipher, type EnvelopeCipher, type EnvelopeKey } from './web-cipher.js';

export { webCipher, type EnvelopeCipher, type EnvelopeKey } from './web-cipher.js';

const NONCE_BYTES = 12;
/** The headers that an envelope is bound to, in their order. */
const BOUND_HEADERS = ['authorization', 'x-product-code', 'x-device-id', 'idempotency-key'];

export interface EnvelopeOptions {
  /** As `globalConfig { device { encryptionKeyId } }` has it. */
  readonly keyId: string;
  readonly secret: string;
  /** {@link webCipher} by default. */
  readonly cipher?: EnvelopeCipher;
}

/**
 * Encrypts requests and replies by `x-encryption: v2` (docs/encryption.md), in addition to TLS. Give it as `encryption`
 * to a client, together with the tenantId. Sockets are not encrypted.
 */
export function envelopes(options: EnvelopeOptions): Encryption {
  return new Envelopes(options, options.cipher ?? webCipher());
}

class Envelopes implements Encryption {
  private readonly keyId: string;
  private readonly secret: string;
  private readonly cipher: EnvelopeCipher;
  private key: Promise<EnvelopeKey> | null = null;
  // Both are learned from the first refusal.
  private epoch = '';
  private clockOffsetMs = 0;

  constructor({ keyId, secret }: EnvelopeOptions, cipher: EnvelopeCipher) {
    this.keyId = keyId;
    this.secret = secret;
    this.cipher = cipher;
  }

  async seal({ path, tenantId, headers, body }: SealedRequest): Promise<Sealed> {
    const { keyId: kid, epoch } = this;
    this.key ??= this.cipher.deriveKey(this.secret, 'redeemkit-envelope-v2');
    const key = await this.key;
    const nonceBytes = this.cipher.randomBytes(NONCE_BYTES);
    const nonce = base64UrlOf(nonceBytes);
    const ts = Date.now() + this.clockOffsetMs;
    const request = ['redeemkit-v2 request', 'POST', path, tenantId, kid, ts, nonce, epoch];
    const bound = [...request, ...BOUND_HEADERS.map((name) => headers[name] ?? '')];
    const data = base64Of(await key.seal(nonceBytes, bytesOf(bound.join('\n')), bytesOf(body)));
    return {
      body: JSON.stringify({ kid, ts, nonce, epoch, data }),
      headers: { 'x-encryption': 'v2' },
      open: async (status, text) => {
        const reply = ['redeemkit-v2 reply', status, path, tenantId, kid, nonce];
        return opened(key, reply, text);
      },
    };
  }

  correct({ epoch, serverTimeMs }: Readonly<Record<string, unknown>>): boolean {
    if (typeof epoch !== 'string' || typeof serverTimeMs !== 'number') return false;
    this.epoch = epoch;
    this.clockOffsetMs = serverTimeMs - Date.now();
    return true;
  }
}

async function opened(key: EnvelopeKey, bound: readonly unknown[], text: string): Promise<string> {
  try {
    const { nonce, data } = JSON.parse(text) as { readonly nonce: string; readonly data: string };
    const additional = bytesOf([...bound, nonce].join('\n'));
    return textOf(await key.open(bytesOfBase64(nonce), additional, bytesOfBase64(data)));
  } catch (error) {
    const message = 'The reply does not open: it was changed on its way, or sealed with another key.';
    throw new EncryptionError('REPLY_NOT_OPENED', message, { cause: error });
  }
}
