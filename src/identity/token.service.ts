import { createHash } from 'node:crypto';
import { createDecoder, createSigner, createVerifier } from 'fast-jwt';
import { LRUCache } from 'lru-cache';
import { invariant } from '../platform/assert.js';
import { atMost } from '../platform/cache-size.js';
import type { Clock } from '../platform/clock.js';
import { isId, type Id } from '../platform/ids.js';
import { actorId, STAFF_ROLES, type Actor, type StaffRole, type UserActor } from '../graphql/actor.js';
import { TokenError } from './token.errors.js';
import { endOfLife, TOKEN_TTL_MAX_S, type TokenWish } from './token-life.js';

/** The transport tells this refusal from a fault. */
export { TokenError } from './token.errors.js';

const ISSUER = 'redeemkit';
const AUDIENCE = 'redeemkit';
const ALGORITHM = 'HS256';
const CLAIMS = ['iss', 'aud', 'iat', 'exp', 'sub', 'tid', 'kind'];

/** Recently verified tokens. Each takes a few hundred bytes; verifying one again costs an HMAC. */
const CACHE_MAX = 10_000;
const HEADERS_MAX = 16;

/** The actor of a verified token, and the end of its life. */
export interface Proof {
  readonly actor: Actor;
  readonly expiresMs: number;
}

/**
 * Signs and verifies the tokens that say who a caller is: JWT with one pinned algorithm, issuer and audience.
 * The first secret signs, all of them verify, each under its own `kid`: to change the secret, put the new one first
 * and keep the old one until its tokens have expired.
 */
export class TokenService {
  private readonly signClaims: (claims: Record<string, unknown>) => string;
  private readonly verifiers: ReadonlyMap<string, (token: string) => Record<string, unknown>>;
  private readonly decode = createDecoder({ complete: true });
  /** By the header of a token: all tokens of one key have the same header text. */
  private readonly keyIds = new LRUCache<string, string>({ max: HEADERS_MAX });
  private readonly verified = new LRUCache<string, Proof>(atMost(CACHE_MAX));

  constructor(
    secrets: readonly [string, ...string[]],
    private readonly clock: Clock,
  ) {
    const [current] = secrets;
    this.signClaims = createSigner({
      key: current,
      algorithm: ALGORITHM,
      kid: keyIdOf(current),
    });
    this.verifiers = new Map(secrets.map((secret) => [keyIdOf(secret), verifierOf(secret)]));
  }

  /** A token that proves `actor` for `ttlS` seconds, at most {@link TOKEN_TTL_MAX_S}. */
  sign(actor: Actor, ttlS: number, wish: TokenWish = 'BY_PROGRAM'): string {
    const maxS = TOKEN_TTL_MAX_S[wish];
    invariant(actor.kind !== 'PARTNER', 'A partner has an API key, and no token.');
    invariant(Number.isSafeInteger(ttlS) && ttlS > 0, 'A token lives for a whole number of seconds.');
    invariant(ttlS <= maxS, `A token that is signed ${wish} lives for ${maxS} seconds at most.`);
    const issuedS = Math.floor(this.clock.nowMs() / 1000);
    return this.signClaims({
      iss: ISSUER,
      aud: AUDIENCE,
      iat: issuedS,
      exp: issuedS + ttlS,
      sub: actorId(actor),
      tid: actor.tenantId,
      kind: actor.kind,
      ...(actor.kind === 'STAFF' ? { role: actor.role } : {}),
      ...(actor.kind === 'USER' ? limitsOf(actor) : {}),
      ...(actor.kind !== 'NODE' && actor.sessionId !== undefined ? { sid: actor.sessionId } : {}),
      ...(actor.kind === 'USER' && actor.deviceId !== undefined ? { did: actor.deviceId } : {}),
      ...(wish === 'BY_OPERATOR' ? { wish } : {}),
    });
  }

  /**
   * The actor of a token.
   * @throws TokenError
   */
  verify(token: string): Actor {
    return this.prove(token).actor;
  }

  /** As {@link verify}, with the end of the token's life. @throws TokenError */
  prove(token: string): Proof {
    let known = this.verified.get(token);
    if (known === undefined) {
      known = this.verifyNow(token);
      this.verified.set(token, known);
    }
    // The expiry is checked here only, because a token may expire while it is cached.
    if (this.clock.nowMs() < known.expiresMs) return known;
    this.verified.delete(token);
    throw new TokenError('EXPIRED');
  }

  private verifyNow(token: string): Proof {
    const claims = this.genuineClaims(token);
    const actor = actorOf(claims);
    const expiresS = endOfLife(claims, this.clock.nowMs() / 1000);
    if (actor === null || expiresS === null) throw new TokenError('NOT_VALID');
    return { actor, expiresMs: expiresS * 1000 };
  }

  private genuineClaims(token: string): Record<string, unknown> {
    try {
      const verify = this.verifiers.get(this.keyIdIn(token));
      if (verify === undefined) throw new TokenError('KEY_UNKNOWN');
      return verify(token);
    } catch (error) {
      throw error instanceof TokenError ? error : new TokenError('NOT_VALID', { cause: error });
    }
  }

  private keyIdIn(token: string): string {
    const text = token.slice(0, token.indexOf('.'));
    const known = this.keyIds.get(text);
    if (known !== undefined) return known;
    const { header } = this.decode(token) as { header: Record<string, unknown> };
    const { kid } = header;
    if (typeof kid !== 'string') throw new TokenError('NOT_VALID');
    this.keyIds.set(text, kid);
    return kid;
  }
}

/** Names a key without telling it: the beginning of its digest. */
function keyIdOf(secret: string): string {
  return createHash('sha256').update(`kid:${secret}`).digest('base64url').slice(0, 8);
}

function verifierOf(secret: string): (token: string) => Record<string, unknown> {
  // An allowed issuer or audience is only compared when the claim is there, so all of them are required as well.
  return createVerifier({
    key: secret,
    algorithms: [ALGORITHM],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    requiredClaims: CLAIMS,
    // Times are judged by `endOfLife`, by the clock of this service.
    ignoreExpiration: true,
    ignoreNotBefore: true,
    cache: false,
  });
}

/** Types the claims of a genuine token; one of a shape that this program never signs is refused. */
function actorOf(claims: Record<string, unknown>): Actor | null {
  const { sub, tid: tenantId, kind, role, sid, did } = claims;
  if (typeof sub !== 'string' || typeof tenantId !== 'string') return null;
  if (!/^[A-Za-z0-9_]{1,24}$/.test(tenantId)) return null;
  const session = sessionOf(sid);
  const device = deviceOf(did);
  if (session === null || device === null) return null;
  if (kind === 'USER')
    return isId(sub) ? userOf({ kind, tenantId, userId: sub, ...session, ...device }, claims) : null;
  if (did !== undefined) return null;
  if (kind === 'NODE') return isId(sub) && sid === undefined ? { kind, tenantId, nodeId: sub } : null;
  if (kind !== 'STAFF' || sub === '' || !isStaffRole(role)) return null;
  return { kind, tenantId, staffId: sub, role, ...session };
}

/** The limits of a user's token: the API key that made it, and a product line. */
function limitsOf({ keyId, productCode }: UserActor): Record<string, string> {
  return {
    ...(keyId !== undefined && { key: keyId }),
    ...(productCode !== undefined && { product: productCode }),
  };
}

function userOf(actor: UserActor, { key, product }: Record<string, unknown>): UserActor | null {
  if (key !== undefined && (typeof key !== 'string' || !isId(key))) return null;
  if (product !== undefined && typeof product !== 'string') return null;
  return {
    ...actor,
    ...(key !== undefined && { keyId: key }),
    ...(product !== undefined && { productCode: product }),
  };
}

/** Null for what names no session. */
function sessionOf(sid: unknown): { readonly sessionId?: Id } | null {
  if (sid === undefined) return {};
  return typeof sid === 'string' && isId(sid) ? { sessionId: sid } : null;
}

/** Null for what names no device. */
function deviceOf(did: unknown): { readonly deviceId?: Id } | null {
  if (did === undefined) return {};
  return typeof did === 'string' && isId(did) ? { deviceId: did } : null;
}

function isStaffRole(value: unknown): value is StaffRole {
  return STAFF_ROLES.some((role) => role === value);
}
