import { randomBytes } from 'node:crypto';
import { isId, type Id } from '../../platform/ids.js';
import { secretDigest } from '../sessions/refresh-token.js';

const FORM = /^rki_([A-Z0-9_]{2,24})\.([0-9]{1,19})\.([\w-]{43})$/;
const LIFE_MS = 7 * 86_400_000;

/** An invitation, `rki_<tenant>.<member>.<secret>`: its holder sets the password of the account, once. */
export interface Invitation {
  readonly tenantId: string;
  readonly staffId: Id;
  readonly secret: string;
}

/** The token for the invited person, and what is stored of it. */
export function newInvitation(tenantId: string, staffId: Id, nowMs: number) {
  const secret = randomBytes(32).toString('base64url');
  return {
    token: `rki_${tenantId}.${staffId}.${secret}`,
    columns: { invitationDigest: secretDigest(secret), invitationExpiresAt: new Date(nowMs + LIFE_MS) },
  };
}

/** The parts of a token, or null for a text that can be none. */
export function parseInvitation(text: string): Invitation | null {
  const [, tenantId, staffId, secret] = FORM.exec(text) ?? [];
  if (tenantId === undefined || staffId === undefined || secret === undefined) return null;
  return isId(staffId) ? { tenantId, staffId, secret } : null;
}
