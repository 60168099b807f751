import { createHmac } from 'node:crypto';

/**
 * Digests of codes: `HMAC-SHA-256(pepper, tenant ‖ 0 ‖ canonical code)` as base64url, 43 characters. The tenant is
 * part of it, so equal codes of two tenants have nothing in common; the zero cannot occur in either part.
 */
export class CodeDigester {
  constructor(
    private readonly pepper: string,
    /** Stored beside each digest: after the pepper was changed, it tells which digester finds the code. */
    readonly keyId: number = 1,
  ) {}

  digest(tenantId: string, canonical: string): string {
    return createHmac('sha256', this.pepper).update(`${tenantId}\0${canonical}`).digest('base64url');
  }
}
