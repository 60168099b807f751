import { createHmac } from 'node:crypto';
import { present } from '../platform/assert.js';

/** A pepper and the number that is stored beside each digest made with it. */
export interface PepperKey {
  readonly keyId: number;
  readonly pepper: string;
}

/**
 * Digests of codes: `HMAC-SHA-256(pepper, tenant ‖ 0 ‖ canonical code)` as base64url, 43 characters. The tenant is
 * part of it, so equal codes of two tenants have nothing in common; the zero cannot occur in either part.
 */
export class CodeDigester {
  /** The pepper of the configuration first, then the previous one while codes still need it. */
  constructor(private readonly keys: readonly PepperKey[]) {}

  /** The pepper of the configuration. */
  get current(): string {
    return present(this.keys[0], 'The pepper').pepper;
  }

  get keyIds(): number[] {
    return this.keys.map(({ keyId }) => keyId);
  }

  /** By one pepper; by the first where none is named. */
  digest(tenantId: string, canonical: string, keyId?: number): string {
    const key = keyId === undefined ? this.keys[0] : this.keys.find((each) => each.keyId === keyId);
    return digestOf(present(key, `The pepper ${keyId}`).pepper, tenantId, canonical);
  }

  /** All digests that a code may be stored under, one a pepper. */
  digests(tenantId: string, canonical: string): string[] {
    return this.keys.map(({ pepper }) => digestOf(pepper, tenantId, canonical));
  }
}

function digestOf(pepper: string, tenantId: string, canonical: string): string {
  return createHmac('sha256', pepper).update(`${tenantId}\0${canonical}`).digest('base64url');
}

/** Names a pepper without telling it: a digest of a text that is no code, because it holds no zero. */
export function fingerprintOf(pepper: string): string {
  return createHmac('sha256', pepper).update('fingerprint of a pepper').digest('base64url');
}
