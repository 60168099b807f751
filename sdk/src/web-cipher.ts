import { bytesOf } from './text.js';

/** A key of AES-256-GCM. What is sealed ends with its tag of 16 bytes. */
export interface EnvelopeKey {
  seal(nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Promise<Uint8Array>;
  /** Rejects what was not sealed with this key, nonce and additional data. */
  open(nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Promise<Uint8Array>;
}

/** What envelopes need of a platform. Mini programs have no WebCrypto and bring a library's. */
export interface EnvelopeCipher {
  /** From a generator that is fit for keys. */
  randomBytes(length: number): Uint8Array;
  /** HKDF-SHA-256 of the secret's UTF-8, without salt, 32 bytes. */
  deriveKey(secret: string, info: string): Promise<EnvelopeKey>;
}

interface Algorithm {
  readonly name: string;
  readonly [parameter: string]: unknown;
}

/** The part of WebCrypto that is used. */
interface WebCrypto {
  getRandomValues(bytes: Uint8Array): Uint8Array;
  readonly subtle: {
    importKey(form: 'raw', data: Uint8Array, name: string, canExport: false, uses: string[]): Promise<object>;
    deriveKey(by: Algorithm, key: object, as: Algorithm, canExport: false, uses: string[]): Promise<object>;
    encrypt(by: Algorithm, key: object, data: Uint8Array): Promise<ArrayBuffer>;
    decrypt(by: Algorithm, key: object, data: Uint8Array): Promise<ArrayBuffer>;
  };
}

const NAME = 'AES-GCM';

/** By WebCrypto, which browsers have on pages that came over https. @throws TypeError where there is none */
export function webCipher(): EnvelopeCipher {
  const { crypto } = globalThis as unknown as { readonly crypto?: Partial<WebCrypto> };
  if (crypto?.subtle === undefined)
    throw new TypeError('This platform has no WebCrypto. Give envelopes a cipher, made of a library.');
  const whole = crypto as WebCrypto;
  const { subtle } = whole;
  return {
    randomBytes: (length) => whole.getRandomValues(new Uint8Array(length)),
    deriveKey: async (secret, info) => {
      const base = await subtle.importKey('raw', bytesOf(secret), 'HKDF', false, ['deriveKey']);
      const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: bytesOf(info) };
      const uses = ['encrypt', 'decrypt'];
      const key = await subtle.deriveKey(how, base, { name: NAME, length: 256 }, false, uses);
      return {
        seal: async (iv, additionalData, plain) =>
          new Uint8Array(await subtle.encrypt({ name: NAME, iv, additionalData }, key, plain)),
        open: async (iv, additionalData, sealed) =>
          new Uint8Array(await subtle.decrypt({ name: NAME, iv, additionalData }, key, sealed)),
      };
    },
  };
}
