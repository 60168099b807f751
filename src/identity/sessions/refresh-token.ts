import { createHash, randomBytes } from 'node:crypto';
import { isId, type Id } from '../../platform/ids.js';

const FORM = /^rkr_([A-Z0-9_]{2,24})\.([0-9]{1,19})\.([\w-]{22})\.([\w-]{43})$/;

/**
 * A refresh token, `rkr_<tenant>.<session>.<family>.<secret>`. The family is the same in all tokens of a session, the
 * secret is new in each. Both come from the system's random source, and the database holds their digests only.
 */
export interface RefreshToken {
  readonly tenantId: string;
  readonly sessionId: Id;
  readonly family: string;
  readonly secret: string;
}

/** The first token of a session. */
export function newRefreshToken(tenantId: string, sessionId: Id): RefreshToken {
  return { tenantId, sessionId, family: randomBytes(16).toString('base64url'), secret: newSecret() };
}

/** The token that follows: of the same family, with another secret. */
export function nextRefreshToken(token: RefreshToken): RefreshToken {
  return { ...token, secret: newSecret() };
}

export function refreshTokenText({ tenantId, sessionId, family, secret }: RefreshToken): string {
  return `rkr_${tenantId}.${sessionId}.${family}.${secret}`;
}

/** The parts of a token, or null for a text that can be none. */
export function parseRefreshToken(text: string): RefreshToken | null {
  const [, tenantId, sessionId, family, secret] = FORM.exec(text) ?? [];
  if (tenantId === undefined || sessionId === undefined || family === undefined || secret === undefined)
    return null;
  return isId(sessionId) ? { tenantId, sessionId, family, secret } : null;
}

/** Plain SHA-256: what is digested is random and cannot be guessed from its digest. */
export function secretDigest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
