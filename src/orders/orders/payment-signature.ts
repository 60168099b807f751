import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the clocks of provider and server may differ, and how late a callback may arrive. */
const WINDOW_MS = 300_000;

export interface SignedBody {
  /** Seconds since 1970, as the header has it. */
  readonly timestamp: string;
  /** In hexadecimal digits. */
  readonly signature: string;
  readonly body: Uint8Array;
}

/**
 * The key of one tenant, which its provider is given. Made from the secret of the installation, so that nothing has to be
 * stored, and the key of one tenant tells nothing of another's.
 */
export function paymentKey(secret: string, tenantId: string): string {
  return createHmac('sha256', secret).update(`payments:${tenantId}`).digest('hex');
}

/** HMAC-SHA-256 over the timestamp, a dot, and the body as it was sent. */
export function isSigned({ timestamp, signature, body }: SignedBody, key: string): boolean {
  const expected = createHmac('sha256', key).update(`${timestamp}.`).update(body).digest();
  const given = /^[0-9a-f]{64}$/i.test(signature) ? Buffer.from(signature, 'hex') : Buffer.alloc(0);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export function isTimely({ timestamp }: SignedBody, nowMs: number): boolean {
  if (!/^[0-9]{1,12}$/.test(timestamp)) return false;
  return Math.abs(Number(timestamp) * 1000 - nowMs) <= WINDOW_MS;
}
