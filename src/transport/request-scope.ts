import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Actor } from '../graphql/actor.js';
import { TokenError, type Proof, type TokenService } from '../identity/token.service.js';
import type { Logger } from '../platform/observability/log.js';
import type { EventFeed } from '../platform/push/event-feed.js';
import type { RequestContext } from '../graphql/context.js';

/** Longer values name nothing that this program knows; they would only travel on into keys and rows. */
const HEADER_LENGTH_MAX = 128;

interface RequestFacts {
  readonly requestId: string;
  readonly actor: Actor | null;
  readonly tenantId: string | null;
  readonly productCode: string | null;
  readonly deviceId: string | null;
  readonly idempotencyKey: string | null;
  readonly ip: string;
}

/**
 * The context of one operation. Its log is a child made at first use, because most operations log nothing and a
 * child costs more than the rest of the context. Apollo copies the context's own fields, so none is `#private`.
 */
export class RequestScope implements RequestContext {
  readonly requestId: string;
  readonly actor: Actor | null;
  readonly tenantId: string | null;
  readonly productCode: string | null;
  readonly deviceId: string | null;
  readonly idempotencyKey: string | null;
  readonly ip: string;
  private child: Logger | undefined = undefined;

  constructor(
    facts: RequestFacts,
    private readonly parentLog: Logger,
    readonly events: EventFeed,
    readonly access: RequestContext['access'],
  ) {
    this.requestId = facts.requestId;
    this.actor = facts.actor;
    this.tenantId = facts.tenantId;
    this.productCode = facts.productCode;
    this.deviceId = facts.deviceId;
    this.idempotencyKey = facts.idempotencyKey;
    this.ip = facts.ip;
  }

  get log(): Logger {
    this.child ??= this.parentLog.child({ requestId: this.requestId, tenantId: this.actor?.tenantId });
    return this.child;
  }
}

/** Who asks. Without a token only public operations are allowed; a bad token is refused, and never treated as none. */
export function authenticate(tokens: TokenService, authorization: string | undefined): Actor | null {
  return proofOf(tokens, authorization)?.actor ?? null;
}

/** The same, with the instant at which the token expires. */
export function proofOf(tokens: TokenService, authorization: string | undefined): Proof | null {
  if (authorization === undefined || authorization === '') return null;
  const token = /^bearer +([^ ]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthenticated('The authorization must have the form `Bearer <token>`.');
  try {
    return tokens.prove(token);
  } catch (error) {
    if (error instanceof TokenError) throw unauthenticated(error.message);
    throw error;
  }
}

/** Whether these headers sign a caller in. A bad token does not, and is refused once it is to open something. */
export function hasProof(tokens: TokenService, authorization: string | undefined): boolean {
  try {
    return proofOf(tokens, authorization) !== null;
  } catch {
    return false;
  }
}

export function unauthenticated(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
}

/**
 * Where the caller is: a token for one product line needs no header, and none of another.
 * @throws GraphQLError FORBIDDEN
 */
export function productCodeOf(actor: Actor | null, headers: IncomingHttpHeaders): string | null {
  const given = namedHeader(headers, 'x-product-code');
  const own = actor?.kind === 'USER' ? actor.productCode : undefined;
  if (own === undefined || given === null || given === own) return own ?? given;
  throw new GraphQLError(
    `The token is for the product line ${own} alone; correct the header x-product-code.`,
    {
      extensions: { code: 'FORBIDDEN', http: { status: 403 } },
    },
  );
}

/** A header that names something, or null. @throws GraphQLError BAD_USER_INPUT for one that is too long to name anything. */
export function namedHeader(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  if (typeof value !== 'string' || value === '') return null;
  if (value.length <= HEADER_LENGTH_MAX) return value;
  throw new GraphQLError(`The header ${name} has more than ${HEADER_LENGTH_MAX} characters.`, {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}

/** The caller's own request id if it can stand in a log, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{8,64}$/.test(given) ? given : randomUUID();
}
