import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { GraphQLError, type ExecutionArgs } from 'graphql';
import { handleProtocols, makeServer, type Context, type Server, type SubscribePayload } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { STATUS_TTL_MS } from '../identity/access.service.js';
import type { Actor } from '../graphql/actor.js';
import { Periodic } from '../platform/scheduling/periodic.js';
import { callerOf, refusalIn } from './caller.js';
import { SocketCloseCode } from './close-codes.js';
import type { RequestContext } from '../graphql/context.js';
import { presentError } from './error-format.js';
import type { TransportParts } from './parts.js';
import { answerRaw, type TransportAnswer } from './raw-answer.js';
import { RegisteredSubscriptions, withQuery } from './registered-subscriptions.js';
import type { SocketPlace } from './socket-places.js';
import { SocketOperations } from './socket-operations.js';
import { SocketSession } from './socket-session.js';

/** How long a socket may take to answer its close before it is cut. */
const CLOSE_GRACE_MS = 2000;
/** How long operations of a socket may go on after the shutdown began. */
const DRAIN_MAX_MS = 10_000;
const DRAIN_LOOK_MS = 20;
/** Messages of the protocol that only a server sends. */
const SERVER_MESSAGES: ReadonlySet<unknown> = new Set(['connection_ack', 'next', 'error']);

type SocketContext = Context<Record<string, unknown>, SocketSession>;

/**
 * GraphQL over WebSocket by graphql-transport-ws, with the same limits, identity and errors as over HTTP. The sockets
 * are not those of `graphql-ws/use/ws`, which bounds neither messages nor what waits to be sent.
 */
export class GraphqlSockets {
  private readonly server: WebSocketServer;
  private readonly protocol: Server<SocketSession>;
  private readonly operations: SocketOperations;
  private readonly registered: RegisteredSubscriptions;
  private readonly sessions = new Set<SocketSession>();
  /** Those whose caller is signed in, from their acknowledgement on. */
  private readonly online = new Set<SocketSession>();
  private readonly contexts = new WeakMap<WebSocket, SocketContext>();
  private readonly heartbeat: NodeJS.Timeout;
  private readonly accessWatch: Periodic;

  constructor(private readonly parts: TransportParts) {
    this.operations = new SocketOperations(parts.schema, parts.documents, parts.answers);
    this.registered = new RegisteredSubscriptions(parts.keys, this.operations);
    this.protocol = this.makeProtocol();
    // The types do not know `closeTimeout` yet.
    const closing: object = { closeTimeout: CLOSE_GRACE_MS };
    this.server = new WebSocketServer({
      ...closing,
      noServer: true,
      maxPayload: parts.config.WS_MESSAGE_LIMIT_BYTES,
      perMessageDeflate: false,
      handleProtocols,
    });
    this.server.on('wsClientError', ({ message }, socket) => answerRaw(socket, badHandshake(message)));
    // After a blocked event loop the pongs that have arrived are read first.
    const beat = (): unknown => setImmediate(() => this.beat());
    this.heartbeat = setInterval(beat, parts.config.WS_HEARTBEAT_MS).unref();
    this.accessWatch = new Periodic(
      { name: 'access of sockets', everyMs: STATUS_TTL_MS, log: parts.log },
      async () => void (await Promise.all([...this.sessions].map(async (session) => this.judge(session)))),
    );
    this.accessWatch.start();
  }

  /**
   * Ends the sockets of the callers that are meant, as those of a user or tenant who was disabled.
   * @returns how many
   */
  endSessions(isMeant: (actor: Actor) => boolean, reason: string): number {
    const meant = [...this.sessions].filter(({ actor }) => actor !== null && isMeant(actor));
    for (const session of meant) session.end(SocketCloseCode.Forbidden, reason);
    return meant.length;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, place: SocketPlace): void {
    this.server.handleUpgrade(request, socket, head, (opened) => this.accept(opened, request, place));
  }

  /** Tells every client to go elsewhere, once its operations are answered, and waits until they have gone. */
  async close(): Promise<void> {
    clearInterval(this.heartbeat);
    const watched = this.accessWatch.stop();
    const gone = [...this.server.clients].map(async (socket) => {
      await this.answered(socket);
      if (socket.readyState === socket.CLOSED) return;
      // Not `once` of node:events, which fails when the socket breaks meanwhile.
      const closed = new Promise((resolve) => {
        socket.once('close', resolve);
      });
      socket.close(SocketCloseCode.GoingAway, 'Going away');
      await closed;
    });
    await Promise.all([...gone, watched]);
  }

  /** Operations that answer once have no generator in the protocol's table; subscriptions do, and would never end. */
  private async answered(socket: WebSocket): Promise<void> {
    const endMs = performance.now() + DRAIN_MAX_MS;
    const isBusy = (): boolean =>
      Object.values(this.contexts.get(socket)?.subscriptions ?? {}).includes(null) &&
      socket.readyState === socket.OPEN;
    while (isBusy() && performance.now() < endMs) await pause(DRAIN_LOOK_MS);
  }

  /** Ends what a caller may not have any more: the socket, or single subscriptions of a partner. */
  private async judge(session: SocketSession): Promise<void> {
    await session.judgeAccess();
    const running = this.contexts.get(session.socket)?.subscriptions;
    if (running !== undefined && session.actor?.kind === 'PARTNER')
      await this.registered.endDropped(session.actor, running);
  }

  private accept(socket: WebSocket, request: IncomingMessage, place: SocketPlace): void {
    const { log } = this.parts;
    const settle = (isSignedIn: boolean) => this.parts.places.settle(place, isSignedIn);
    const session = new SocketSession(socket, request, { ...this.parts, settle });
    this.sessions.add(session);
    // A message that is too big or no text ends here; ws closes the socket with the code for it.
    socket.on('error', (error) => log.debug({ err: error }, 'A socket failed.'));
    socket.on('pong', ({ length }) => {
      session.awaitsPong = false;
      session.admits(length);
    });
    socket.on('ping', ({ length }) => session.admits(length));
    const closed = this.protocol.opened(
      {
        protocol: socket.protocol,
        send: async (text) => session.send(text),
        close: (code = SocketCloseCode.InternalServerError, reason) => session.end(code, reason),
        onMessage: (handle) =>
          socket.on('message', (data) => void this.receive(session, data as Buffer, handle)),
        onPing: async (payload) => session.pong(payload),
      },
      session,
    );
    socket.once('close', (code, reason) => {
      this.sessions.delete(session);
      this.left(session);
      void this.handle(session, () => closed(code, String(reason)));
    });
  }

  private async receive(
    session: SocketSession,
    data: Buffer,
    handle: (text: string) => Promise<void>,
  ): Promise<void> {
    if (!session.admits(data.length)) return;
    // Of a text frame ws has checked it, of a binary one nothing has.
    if (!isUtf8(data)) return session.end(SocketCloseCode.BadRequest, 'Invalid message received');
    const text = session.apiKey === null ? data.toString() : withQuery(data.toString());
    await this.handle(session, async () => {
      try {
        await handle(text);
      } catch (error) {
        // The protocol's library takes them for a fault of its own.
        if (!SERVER_MESSAGES.has((JSON.parse(text) as { type: unknown }).type)) throw error;
        session.end(SocketCloseCode.BadRequest, 'Invalid message received');
      }
    });
  }

  private async handle(session: SocketSession, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.log.error({ err: error }, 'A socket message failed.');
      session.end(SocketCloseCode.InternalServerError, 'Internal server error');
    }
  }

  private makeProtocol(): Server<SocketSession> {
    return makeServer<Record<string, unknown>, SocketSession>({
      connectionInitWaitTimeout: this.parts.config.WS_INIT_TIMEOUT_MS,
      onConnect: async (context) => this.open(context),
      onSubscribe: async (context, _id, payload) => {
        const prepared = await this.prepare(context, payload);
        return 'schema' in prepared ? prepared : this.refused(prepared, context.extra.scope());
      },
      execute: async (args) => this.operations.execute(args),
      onOperation: (_context, _id, _payload, args, result) => this.registered.endable(args, result),
      onError: (context, _id, _payload, errors) => this.present(errors, context.extra.scope()),
      onNext: async (context, _id, _payload, args, result) => {
        await context.extra.writer.letOthersIn();
        return this.presentResult(context, args, result);
      },
    });
  }

  private async open(context: SocketContext): Promise<boolean> {
    const { extra: session, connectionParams } = context;
    this.contexts.set(session.socket, context);
    let hasRoom: boolean;
    try {
      hasRoom = await session.open(connectionParams);
    } catch (error) {
      session.end(SocketCloseCode.Forbidden, refusalIn(error).message);
      return false;
    }
    const { owner } = session;
    const siblings = owner === null ? [] : [...this.sessions].filter((other) => other.owner === owner);
    if (hasRoom && siblings.length <= this.parts.config.WS_SOCKETS_PER_USER) {
      this.entered(session);
      return true;
    }
    session.end(SocketCloseCode.TooManySockets, 'Too many sockets');
    return false;
  }

  /** Not waited for: a socket opens also while presence cannot be noted. */
  private entered(session: SocketSession): void {
    if (session.actor === null || session.socket.readyState !== session.socket.OPEN) return;
    this.online.add(session);
    void this.parts.presence?.opened(session.actor);
  }

  private left(session: SocketSession): void {
    if (session.actor !== null && this.online.delete(session))
      void this.parts.presence?.closed(session.actor);
  }

  private async prepare(
    context: SocketContext,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const most = this.parts.config.WS_MAX_OPERATIONS;
    // The protocol's table already has the new operation.
    if (Object.keys(context.subscriptions).length > most) {
      const message = `A socket runs at most ${most} operations at once.`;
      return [new GraphQLError(message, { extensions: { code: 'TOO_MANY_OPERATIONS' } })];
    }
    const { extra: session } = context;
    try {
      const { apiKey } = session;
      if (apiKey !== null) return await this.registered.prepare(apiKey, session, payload);
      session.authenticated();
    } catch (error) {
      return [refusalIn(error)];
    }
    return this.operations.prepare(payload, session.scope());
  }

  /** The refusal in its turn, or why it got none: refusals over HTTP take the same turns. */
  private async refused(
    errors: readonly GraphQLError[],
    scope: RequestContext,
  ): Promise<readonly GraphQLError[]> {
    try {
      await this.parts.shares.refusing(callerOf(scope));
      return errors;
    } catch (error) {
      return [refusalIn(error)];
    }
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
    return errors.map((error) => presentError(error, scope, this.parts.hideSuggestions));
  }

  /**
   * Cuts the sockets that are gone, and ends those whose token has expired where their timer does not: when the wall
   * clock was set forward.
   */
  private beat(): void {
    for (const session of this.sessions) {
      if (session.endIfExpired()) continue;
      // Its client reads slowly, and is watched by the clock of the sender.
      if (session.writer.isWaiting) continue;
      if (session.awaitsPong) {
        session.socket.terminate();
        continue;
      }
      session.awaitsPong = true;
      session.socket.ping();
    }
  }
}

function badHandshake(problem: string): TransportAnswer {
  return {
    status: 400,
    code: 'BAD_REQUEST',
    message: `This is no handshake of a WebSocket. ${problem}.`,
    headers: { 'sec-websocket-version': '13' },
  };
}
