import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { GraphQLError, type ExecutionArgs, type GraphQLSchema } from 'graphql';
import { handleProtocols, makeServer, type Context, type Server, type SubscribePayload } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Config } from '../config.js';
import type { TokenService } from '../identity/token.service.js';
import type { Logger } from '../platform/log.js';
import type { EventFeed } from '../platform/outbox/event-feed.js';
import { SocketCloseCode } from './close-codes.js';
import type { RequestContext } from './context.js';
import { presentError } from './error-format.js';
import type { DocumentLimits } from './limits.js';
import { SocketOperations } from './socket-operations.js';
import { SocketSession } from './socket-session.js';

/** How long a socket may take to answer its close before it is cut. */
const CLOSE_GRACE_MS = 2000;
/** How long operations of a socket may go on after the shutdown began. */
const DRAIN_MAX_MS = 10_000;
const DRAIN_LOOK_MS = 20;
/** A close frame holds 123, and a character that is cut in two takes up to three in its place. */
const REASON_BYTES_MAX = 120;
/** Messages of the protocol that only a server sends. */
const SERVER_MESSAGES: ReadonlySet<unknown> = new Set(['connection_ack', 'next', 'error']);

export interface WebSocketParts {
  readonly events: EventFeed;
  readonly schema: GraphQLSchema;
  readonly tokens: TokenService;
  readonly access: RequestContext['access'];
  readonly config: Config;
  readonly log: Logger;
  readonly limits: DocumentLimits;
}

type SocketContext = Context<Record<string, unknown>, SocketSession>;

/** GraphQL over WebSocket by graphql-transport-ws, with the same limits, identity and errors as over HTTP. */
export class GraphqlSockets {
  private readonly server: WebSocketServer;
  private readonly protocol: Server<SocketSession>;
  private readonly operations: SocketOperations;
  private readonly sessions = new Set<SocketSession>();
  private readonly contexts = new WeakMap<WebSocket, SocketContext>();
  private readonly heartbeat: NodeJS.Timeout;

  constructor(private readonly parts: WebSocketParts) {
    this.operations = new SocketOperations(parts.schema, parts.limits);
    this.protocol = this.makeProtocol();
    this.server = new WebSocketServer({
      noServer: true,
      maxPayload: parts.config.HTTP_BODY_LIMIT_BYTES,
      perMessageDeflate: false,
      handleProtocols,
    });
    this.heartbeat = setInterval(() => this.beat(), parts.config.WS_HEARTBEAT_MS).unref();
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.server.handleUpgrade(request, socket, head, (opened) => this.accept(opened, request));
  }

  /** Tells every client to go elsewhere, once its operations are answered, and waits until they have gone. */
  async close(): Promise<void> {
    clearInterval(this.heartbeat);
    const gone = [...this.server.clients].map(async (socket) => {
      await this.answered(socket);
      if (socket.readyState === socket.CLOSED) return;
      // Not `once` of node:events, which fails when the socket breaks meanwhile.
      const closed = new Promise((resolve) => {
        socket.once('close', resolve);
      });
      const cut = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
      socket.close(SocketCloseCode.GOING_AWAY, 'Going away');
      await closed;
      clearTimeout(cut);
    });
    await Promise.all(gone);
  }

  /** Operations that answer once have no generator in the protocol's table; subscriptions do, and would never end. */
  private async answered(socket: WebSocket): Promise<void> {
    const endMs = performance.now() + DRAIN_MAX_MS;
    const isBusy = (): boolean =>
      Object.values(this.contexts.get(socket)?.subscriptions ?? {}).includes(null) &&
      socket.readyState === socket.OPEN;
    while (isBusy() && performance.now() < endMs) await pause(DRAIN_LOOK_MS);
  }

  private accept(socket: WebSocket, request: IncomingMessage): void {
    const { log, tokens, access, config, events } = this.parts;
    const session = new SocketSession(socket, request, {
      log,
      tokens,
      access,
      events,
      trustProxy: config.TRUST_PROXY,
    });
    this.sessions.add(session);
    // A message that is too big or no text ends here; ws closes the socket with the code for it.
    socket.on('error', (error) => log.debug({ err: error }, 'A socket failed.'));
    socket.on('pong', () => (session.awaitsPong = false));
    const closed = this.protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, fitting(reason)),
        onMessage: (handle) =>
          socket.on('message', (data) => void this.receive(session, (data as Buffer).toString(), handle)),
      },
      session,
    );
    socket.once('close', (code, reason) => {
      this.sessions.delete(session);
      void this.handle(session, () => closed(code, String(reason)));
    });
  }

  private async receive(
    session: SocketSession,
    text: string,
    handle: (text: string) => Promise<void>,
  ): Promise<void> {
    await this.handle(session, async () => {
      try {
        await handle(text);
      } catch (error) {
        // The protocol's library takes them for a fault of its own.
        if (!SERVER_MESSAGES.has((JSON.parse(text) as { type: unknown }).type)) throw error;
        session.socket.close(SocketCloseCode.BAD_REQUEST, 'Invalid message received');
      }
    });
  }

  private async handle(session: SocketSession, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.log.error({ err: error }, 'A socket message failed.');
      session.socket.close(SocketCloseCode.INTERNAL_ERROR, 'Internal server error');
    }
  }

  private makeProtocol(): Server<SocketSession> {
    return makeServer<Record<string, unknown>, SocketSession>({
      connectionInitWaitTimeout: this.parts.config.WS_INIT_TIMEOUT_MS,
      onConnect: async (context) => this.open(context),
      onSubscribe: (context, _id, payload) => this.prepare(context, payload),
      onError: (context, _id, _payload, errors) => this.present(errors, context.extra.scope()),
      onNext: (context, _id, _payload, args, result) => this.presentResult(context, args, result),
    });
  }

  private async open(context: SocketContext): Promise<boolean> {
    const { extra: session, connectionParams } = context;
    this.contexts.set(session.socket, context);
    try {
      await session.open(connectionParams);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      session.socket.close(SocketCloseCode.FORBIDDEN, error.message);
      return false;
    }
    const { owner } = session;
    const siblings = owner === null ? [] : [...this.sessions].filter((other) => other.owner === owner);
    if (siblings.length <= this.parts.config.WS_SOCKETS_PER_USER) return true;
    session.socket.close(SocketCloseCode.TOO_MANY_SOCKETS, 'Too many sockets');
    return false;
  }

  private prepare(context: SocketContext, payload: SubscribePayload): ExecutionArgs | GraphQLError[] {
    const most = this.parts.config.WS_MAX_OPERATIONS;
    // The protocol's table already has the new operation.
    if (Object.keys(context.subscriptions).length > most) {
      const message = `A socket runs at most ${most} operations at once.`;
      return [new GraphQLError(message, { extensions: { code: 'TOO_MANY_OPERATIONS' } })];
    }
    try {
      context.extra.authenticated();
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    return this.operations.prepare(payload, context.extra.scope());
  }

  private presentResult(
    { extra: session }: SocketContext,
    args: ExecutionArgs,
    result: { readonly errors?: readonly GraphQLError[] | undefined },
  ) {
    if (result.errors === undefined) return undefined;
    const scope = (args.contextValue as RequestContext | undefined) ?? session.scope();
    return { ...result, errors: this.present(result.errors, scope) };
  }

  private present(errors: readonly GraphQLError[], scope: RequestContext) {
    const hideSuggestions = this.parts.config.NODE_ENV === 'production';
    return errors.map((error) => presentError(error, scope, hideSuggestions));
  }

  /** Cuts the sockets that are gone, and ends those whose token has run out: a socket outlives no sign-in. */
  private beat(): void {
    for (const session of this.sessions) {
      if (session.awaitsPong) {
        session.socket.terminate();
        continue;
      }
      session.awaitsPong = true;
      session.socket.ping();
      try {
        if (session.actor !== null) session.authenticated();
      } catch {
        session.socket.close(SocketCloseCode.FORBIDDEN, 'The token has expired. Sign in again.');
      }
    }
  }
}

async function send(socket: WebSocket, data: string): Promise<void> {
  if (socket.readyState !== socket.OPEN) return;
  // A socket that breaks while it is written to closes by itself; the operation ends with it.
  await new Promise<void>((resolve) => {
    socket.send(data, () => resolve());
  });
}

/** A reason may repeat what the client has sent, at any length. */
function fitting(reason = ''): string {
  return Buffer.from(reason).subarray(0, REASON_BYTES_MAX).toString();
}
