import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { UserActor } from '../../graphql/actor.js';
import { atMost } from '../../platform/cache-size.js';
import type { Clock } from '../../platform/clock.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import { ownUserIdText } from '../users/device-users.js';
import { within } from '../../platform/scheduling/timeout.js';
import type { AccessService } from '../access.service.js';
import { TOKEN_TTL_MAX_S } from '../token-life.js';
import type { Proof } from '../token.service.js';
import { tagList, type UserService } from '../users/user.service.js';
import type { IssuerService } from './issuer.service.js';
import type { JwksKeys } from './jwks-keys.js';
import type { UserTokenIssuer } from './user-token-issuer.entity.js';

/** Only asymmetric algorithms: a public key must never be used as a secret. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
const TTL_S_MAX = TOKEN_TTL_MAX_S.BY_PROGRAM;
/** How far the clocks of the issuer and of this process may be apart. */
const SKEW_S = 60;
const TOKENS_MAX = 10_000;
const HEADERS_MAX = 100;
const TOKEN_LENGTH_MAX = 8192;
const BEARER = /^bearer +([^ .]+)\.([^ .]+\.[^ .]+) *$/i;

/** The proof of a token of another program; void once its issuer is changed. */
export interface IssuerProof extends Proof {
  readonly issuer: Pick<UserTokenIssuer, 'tenantId' | 'issuer' | 'version' | 'createdAt'>;
}

interface Collaborators {
  readonly issuers: Pick<IssuerService, 'byIssuer' | 'isOn'>;
  readonly keys: JwksKeys;
  readonly users: Pick<UserService, 'ensureUser'>;
  readonly access: Pick<AccessService, 'refusalOf'>;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Tokens that a tenant's own server signs for its users. Each process verifies a token once, which makes the row of its
 * user and sets the tags, unless they are later than the token; from then on it works like a token of this program.
 */
export class IssuerTokens {
  private readonly known = new LRUCache<string, IssuerProof>(atMost(TOKENS_MAX));
  /** Whether tokens with this header are of another program. All tokens of one key share a header. */
  private readonly headers = new LRUCache<string, boolean>({ max: HEADERS_MAX, memoMethod: isForeignHeader });

  constructor(private readonly its: Collaborators) {}

  /** The token in an `authorization` header, where another program has signed it. */
  tokenIn(authorization: string | undefined): string | null {
    if (!this.its.issuers.isOn || authorization === undefined) return null;
    const [, header = '', rest = ''] = BEARER.exec(authorization) ?? [];
    const token = `${header}.${rest}`;
    return header !== '' && token.length <= TOKEN_LENGTH_MAX && this.headers.memo(header) ? token : null;
  }

  /**
   * @returns null for a token that is not valid here
   * @throws StoreUnavailableError when the database does not answer and the token was not known before
   */
  async prove(token: string): Promise<IssuerProof | null> {
    const name = createHash('sha256').update(token).digest('base64url');
    const issuer = await this.issuerOf(token);
    if (issuer === null) return null;
    const known = this.known.get(name);
    if (known !== undefined && isSame(known.issuer, issuer))
      return this.its.clock.nowMs() < known.expiresMs ? known : null;
    const proof = await this.verified(token, issuer);
    if (proof === null) return null;
    const proved = { ...proof, issuer };
    this.known.set(name, proved);
    return proved;
  }

  /** Whether the issuer is still that of the tenant, enabled and unchanged: for what outlives a request. */
  async isStillGood({ issuer }: IssuerProof): Promise<boolean> {
    const present = await this.its.issuers.byIssuer(issuer.issuer);
    return present !== null && isSame(present, issuer);
  }

  private async issuerOf(token: string): Promise<UserTokenIssuer | null> {
    const { iss } = claimsOf(token);
    return iss === undefined ? null : this.its.issuers.byIssuer(iss);
  }

  private async verified(token: string, issuer: UserTokenIssuer): Promise<Proof | null> {
    const claims = await this.genuineClaims(token, issuer);
    const user = claims === null ? null : userIn(claims, issuer);
    if (claims === null || user === null) return null;
    const { tenantId } = issuer;
    // No rows for a tenant without access.
    if ((await this.its.access.refusalOf({ tenantId })) !== null) return null;
    const issuedAt = new Date(Number(claims.iat) * 1000);
    const made = this.its.users.ensureUser(tenantId, user.externalId, user.tags, { issuedAt });
    const { id } = await within(this.its.timeoutMs, 'database', made);
    const actor: UserActor = { kind: 'USER', tenantId, userId: id };
    return { actor, expiresMs: Number(claims.exp) * 1000 };
  }

  private async genuineClaims(token: string, issuer: UserTokenIssuer): Promise<JWTPayload | null> {
    try {
      const { payload } = await jwtVerify(token, this.its.keys.of(issuer.jwksUrl), {
        algorithms: ALGORITHMS,
        issuer: issuer.issuer,
        audience: issuer.audience,
        requiredClaims: ['exp', 'iat', 'sub'],
        maxTokenAge: TTL_S_MAX,
        clockTolerance: SKEW_S,
        currentDate: new Date(this.its.clock.nowMs()),
      });
      const nowS = this.its.clock.nowMs() / 1000;
      const { exp = 0, iat = 0 } = payload;
      return exp - iat <= TTL_S_MAX && nowS < exp ? payload : null;
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      return null;
    }
  }
}

/** An issuer that was removed may be set again, by any tenant; its versions then start again at 1. */
function isSame(one: IssuerProof['issuer'], other: IssuerProof['issuer']): boolean {
  const isOneRow = one.tenantId === other.tenantId && one.createdAt.getTime() === other.createdAt.getTime();
  return isOneRow && one.version === other.version;
}

function userIn(
  claims: JWTPayload,
  { tagsClaim }: UserTokenIssuer,
): { readonly externalId: string; readonly tags?: readonly string[] } | null {
  const externalId = ownUserIdText.safeParse(claims.sub);
  const given = tagsClaim ? claims[tagsClaim] : undefined;
  const tags = given === undefined ? null : z.safeParse(tagList, given);
  if (!externalId.success || tags?.success === false) return null;
  return { externalId: externalId.data, ...(tags !== null && { tags: tags.data }) };
}

function claimsOf(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

/** This program's own tokens are signed with a secret. One without a key id names no key. */
function isForeignHeader(header: string): boolean {
  try {
    const { alg, kid } = decodeProtectedHeader(`${header}..`);
    return ALGORITHMS.includes(alg ?? '') && typeof kid === 'string';
  } catch {
    return false;
  }
}
