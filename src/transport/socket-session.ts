import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { WebSocket } from 'ws';
import type { Config } from '../config.js';
import { actorId, type Actor } from '../graphql/actor.js';
import type { Proof, TokenService } from '../identity/token.service.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/observability/log.js';
import type { EventFeed } from '../platform/push/event-feed.js';
import { clientAddress } from '../platform/trusted-proxies.js';
import { admitInOutage, refusalError } from './admission.js';
import type { RequestContext } from '../graphql/context.js';
import { refusalIn } from './caller.js';
import { SocketCloseCode } from './close-codes.js';
import { MessageAllowance } from './message-allowance.js';
import type { KeyCallers } from './key-callers.js';
import { namedHeader, productCodeOf, proofOf, RequestScope, unauthenticated } from './request-scope.js';
import { SocketWriter } from './socket-writer.js';

/** The longest time of a timer; a longer one would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** Besides what each operation may leave: the acknowledgement, and answers to pings and to refused messages. */
const FURTHER_MESSAGES = 28;
/** A close frame holds 123, and a character that is cut in two takes up to three in its place. */
const REASON_BYTES_MAX = 120;
const PONG = '{"type":"pong"}';
const PONG_LENGTH_MAX = 1024;

interface SessionParts {
  readonly events: EventFeed;
  readonly tokens: TokenService;
  readonly keys: KeyCallers;
  readonly access: RequestContext['access'];
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: Config;
  /** Counts the socket among those of signed-in callers or of the others. @returns whether there is room for it */
  readonly settle: (isSignedIn: boolean) => boolean;
}

/** One socket, and from its `connection_init` on whose it is. */
export class SocketSession {
  /** Set by the heart-beat, cleared by its answer: a socket that misses one beat is gone. */
  awaitsPong = false;
  private proof: Proof | null = null;
  private expiry: NodeJS.Timeout | undefined;
  private headers: IncomingHttpHeaders;
  private readonly ip: string;
  readonly writer: SocketWriter;
  private readonly allowance: MessageAllowance;

  constructor(
    readonly socket: WebSocket,
    request: IncomingMessage,
    private readonly parts: SessionParts,
  ) {
    this.headers = request.headers;
    const { config } = parts;
    this.ip = clientAddress(request, config.TRUST_PROXY);
    this.allowance = new MessageAllowance(config.WS_MESSAGES_PER_S);
    const limits = {
      // Each operation leaves two: its result, and that it is complete.
      messages: 2 * config.WS_MAX_OPERATIONS + FURTHER_MESSAGES,
      bytes: config.WS_SEND_BUFFER_BYTES,
      stallMs: config.WS_SLOW_READER_MS,
    };
    this.writer = new SocketWriter(socket, limits, () =>
      this.end(SocketCloseCode.SlowReader, 'Messages are not read in time'),
    );
    socket.once('close', () => clearTimeout(this.expiry));
  }

  get actor(): Actor | null {
    return this.proof?.actor ?? null;
  }

  /** Counts a message of the client, and closes the socket when there are too many. @returns whether it may be handled */
  admits(bytes: number): boolean {
    if (this.socket.readyState !== this.socket.OPEN) return false;
    if (this.allowance.takes(bytes)) return true;
    this.end(SocketCloseCode.TooManyMessages, 'Too many messages');
    return false;
  }

  /**
   * Nothing is sent once the token has expired, also where the timer is late, nor once this process knows that the
   * session has ended or that its caller was disabled, also before the next look at the sockets.
   */
  async send(text: string): Promise<void> {
    if (!this.endIfExpired()) this.endIfRefused();
    await this.writer.send(text);
  }

  /** An answer says nothing that must not be lost, so none waits behind others; nor does it repeat much. */
  async pong(payload: Record<string, unknown> | undefined): Promise<void> {
    if (this.writer.isWaiting) return;
    const text = JSON.stringify({ type: 'pong', payload });
    await this.send(text.length <= PONG_LENGTH_MAX ? text : PONG);
  }

  endIfExpired(): boolean {
    if (this.proof === null || this.parts.clock.nowMs() < this.proof.expiresMs) return false;
    this.end(SocketCloseCode.Forbidden, 'The token has expired. Sign in again.');
    return true;
  }

  private endIfRefused(): void {
    const refusal = this.proof === null ? null : this.parts.access.knownRefusalOf(this.proof.actor);
    if (refusal !== null) this.end(SocketCloseCode.Forbidden, refusalError(refusal).message);
  }

  /**
   * Ends the socket of a session that has ended, of a user or node that was disabled or deleted, or whose tenant was, and
   * of a token whose issuer was changed.
   */
  async judgeAccess(): Promise<void> {
    try {
      await admitInOutage(this.scope());
      if (this.proof !== null) await this.parts.keys.judgeIssuer(this.proof);
    } catch (error) {
      this.end(SocketCloseCode.Forbidden, refusalIn(error).message);
    }
  }

  /** Nothing is sent after it, and what the client still sends is ignored. */
  end(code: number, reason = ''): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.parts.log.debug({ code, reason, ip: this.ip }, 'A socket was ended.');
    // A reason may repeat what the client has sent, at any length.
    this.socket.close(code, Buffer.from(reason).subarray(0, REASON_BYTES_MAX).toString());
  }

  /**
   * Takes the connection's parameters as headers, over those of the upgrade, which browsers cannot set.
   * @returns false when there are too many sockets
   * @throws GraphQLError for a bad token, or one of a caller who may do nothing
   */
  async open(params: Readonly<Record<string, unknown>> | undefined): Promise<boolean> {
    this.headers = { ...this.headers, ...headersOf(params ?? {}) };
    const { authorization } = this.headers;
    const looked = this.parts.keys.proofIn(authorization);
    this.proof = looked === null ? proofOf(this.parts.tokens, authorization) : await looked;
    // The client may have gone while the key was looked up, and its place with it.
    if (this.socket.readyState !== this.socket.OPEN) return false;
    if (!this.parts.settle(this.proof !== null)) return false;
    this.watchExpiry();
    // Every operation is judged again, so a socket may open while the database does not answer.
    await admitInOutage(this.scope());
    return true;
  }

  /** The API key that opened the socket; null for a token, or nothing. */
  get apiKey(): string | null {
    return this.actor?.kind === 'PARTNER' ? this.parts.keys.keyIn(this.headers.authorization) : null;
  }

  /** @throws GraphQLError once the token that opened the socket has expired. */
  authenticated(): void {
    if (this.proof !== null && this.parts.clock.nowMs() >= this.proof.expiresMs)
      throw unauthenticated('The token has expired. Sign in again.');
  }

  private watchExpiry(): void {
    if (this.proof === null) return;
    const leftMs = this.proof.expiresMs - this.parts.clock.nowMs();
    if (!this.endIfExpired())
      this.expiry = setTimeout(() => this.watchExpiry(), Math.min(leftMs, TIMER_MAX_MS)).unref();
  }

  /** The context of one operation. A key that made all operations of a socket one would lose all but the first. */
  scope(): RequestScope {
    const facts = {
      requestId: randomUUID(),
      actor: this.actor,
      tenantId: namedHeader(this.headers, 'x-tenant-id'),
      productCode: productCodeOf(this.actor, this.headers),
      deviceId: namedHeader(this.headers, 'x-device-id'),
      idempotencyKey: null,
      ip: this.ip,
    };
    return new RequestScope(facts, this.parts.log, this.parts.events, this.parts.access);
  }

  /** Under which its sockets are counted; null without a token. */
  get owner(): string | null {
    if (this.actor === null) return null;
    const { kind, tenantId } = this.actor;
    return `${kind}:${tenantId}:${actorId(this.actor)}`;
  }
}

/** Headers that mean something here; whatever else a client sends along is its own affair. */
const MEANT: ReadonlySet<string> = new Set(['authorization', 'x-tenant-id', 'x-product-code', 'x-device-id']);

/** @throws GraphQLError where a known parameter is no text: its sender would be taken for another caller */
function headersOf(params: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value;
    else if (MEANT.has(name.toLowerCase()) && value !== null)
      throw new GraphQLError(`The payload of connection_init must give ${name} as text.`);
  }
  return headers;
}
