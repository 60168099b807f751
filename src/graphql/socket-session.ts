import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Actor } from '../identity/actor.js';
import type { TokenService } from '../identity/token.service.js';
import type { Logger } from '../platform/log.js';
import type { EventFeed } from '../platform/outbox/event-feed.js';
import { admitInOutage } from './admission.js';
import type { RequestContext } from './context.js';
import { authenticate, clientIp, namedHeader, RequestScope } from './request-scope.js';

interface SessionParts {
  readonly events: EventFeed;
  readonly tokens: TokenService;
  readonly access: RequestContext['access'];
  readonly log: Logger;
  readonly trustProxy: boolean;
}

/** One socket, and from its `connection_init` on whose it is. */
export class SocketSession {
  /** Set by the heart-beat, cleared by its answer: a socket that misses one beat is gone. */
  awaitsPong = false;
  actor: Actor | null = null;
  private headers: IncomingHttpHeaders;
  private readonly ip: string;

  constructor(
    readonly socket: WebSocket,
    request: IncomingMessage,
    private readonly parts: SessionParts,
  ) {
    this.headers = request.headers;
    this.ip = clientIp(request, parts.trustProxy);
  }

  /**
   * Takes the connection's parameters as headers, over those of the upgrade, which browsers cannot set.
   * @throws GraphQLError when they prove nobody, or somebody who may do nothing
   */
  async open(params: Readonly<Record<string, unknown>> | undefined): Promise<void> {
    const given = Object.entries(params ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    const named = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]));
    this.headers = { ...this.headers, ...named };
    this.actor = this.authenticated();
    // Every operation is judged again, so a socket may open while the database does not answer.
    await admitInOutage(this.scope());
  }

  /** @throws GraphQLError once the token that opened the socket has expired. */
  authenticated(): Actor | null {
    return authenticate(this.parts.tokens, this.headers.authorization);
  }

  /** The context of one operation. A key that made all operations of a socket one would lose all but the first. */
  scope(): RequestScope {
    const facts = {
      requestId: randomUUID(),
      actor: this.actor,
      productCode: namedHeader(this.headers, 'x-product-code'),
      deviceId: namedHeader(this.headers, 'x-device-id'),
      idempotencyKey: null,
      ip: this.ip,
    };
    return new RequestScope(facts, this.parts.log, this.parts.events, this.parts.access);
  }

  /** Under which its sockets are counted; null for nobody. */
  get owner(): string | null {
    if (this.actor === null) return null;
    const { kind, tenantId } = this.actor;
    return `${kind}:${tenantId}:${this.actor.kind === 'USER' ? this.actor.userId : this.actor.staffId}`;
  }
}
