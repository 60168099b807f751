import { createClient as createSocketClient, type Client } from 'graphql-ws/client';
import { connectionOf } from './connection.js';
import {
  errorOf,
  NetworkError,
  RateLimitedError,
  RedeemkitError,
  RequestError,
  UnauthenticatedError,
  type GraphqlError,
} from './errors.js';
import {
  EventStream,
  type Evented,
  type EventListener,
  type EventSource,
  type StreamOptions,
} from './event-stream.js';
import {
  EventCursor,
  OrderClosed,
  RedemptionReversed,
  RedemptionSettled,
  SessionRevoked,
  SubscriptionInvalidated,
  type OrderClosedSubscription,
  type RedemptionReversedSubscription,
  type RedemptionSettledSubscription,
  type SessionRevokedSubscription,
  type SubscriptionInvalidatedSubscription,
} from './generated/operations.js';
import { cursorsIn } from './cursors.js';
import type { Operation } from './operation.js';
import type { ConnectionOptions, RetryOptions, TokenSource } from './options.js';
import { globals, type TextStore } from './platform.js';
import { pauseMs } from './retry.js';
import { mayRenew, Tokens } from './tokens.js';

export { EventStream, type StreamOptions, type StreamState } from './event-stream.js';

/** A class of the form of the browser's `WebSocket`; `miniWebSocket` makes one of a mini program's `connectSocket`. */
export type WebSocketClass = new (url: string, protocol: string) => object;

export interface SubscriptionsOptions extends Omit<ConnectionOptions, 'fetch' | 'encryption'> {
  /** Asked for each connection, so that a long-lived page goes on with new tokens. */
  readonly token?: TokenSource;
  /** The platform's own by default. */
  readonly WebSocket?: WebSocketClass;
  /** Where streams note how far they have come, to go on from there after a reload. */
  readonly cursorStore?: TextStore;
}

export type RedemptionSettledEvent = RedemptionSettledSubscription['redemptionSettled'];
export type RedemptionReversedEvent = RedemptionReversedSubscription['redemptionReversed'];
export type OrderClosedEvent = OrderClosedSubscription['orderClosed'];
export type SubscriptionInvalidatedEvent = SubscriptionInvalidatedSubscription['subscriptionInvalidated'];
export type SessionRevokedEvent = SessionRevokedSubscription['sessionRevoked'];

/** What the one field of a subscription gives. */
export type EventIn<Data> = Extract<Data[keyof Data], Evented>;

type Listen<Event extends Evented> = (options?: StreamOptions<Event>) => EventStream<Event>;

/** Live events over one WebSocket. Each call is a stream of its own, which reconnects by itself. */
export interface Subscriptions {
  readonly onRedemptionSettled: Listen<RedemptionSettledEvent>;
  readonly onRedemptionReversed: Listen<RedemptionReversedEvent>;
  readonly onOrderClosed: Listen<OrderClosedEvent>;
  readonly onSubscriptionInvalidated: Listen<SubscriptionInvalidatedEvent>;
  readonly onSessionRevoked: Listen<SessionRevokedEvent>;
  /** A subscription of your own; its document takes `$after`, and its one field selects `cursor`. */
  on<Data, Variables extends { after?: string | null | undefined }>(
    operation: Operation<Data, Variables>,
    variables: Omit<Variables, 'after'>,
    options?: StreamOptions<EventIn<Data>>,
  ): EventStream<EventIn<Data>>;
  /** Closes all streams and the socket. */
  close(): void;
}

/** What a socket is closed with where another connection would end the same way. */
const FATAL_CLOSES: ReadonlySet<number> = new Set([1009, 4400, 4401, 4406, 4409, 4429]);
const FORBIDDEN = 4403;
/** The caller has too many sockets: room comes when one of them is found to be gone. */
const TOO_MANY_SOCKETS = 4430;
const TOO_MANY_PAUSE_MS = 5000;
/** How long a silent connection is believed: a ping goes out, and its answer has to come. */
const PING_EVERY_MS = 15_000;
const PONG_WITHIN_MS = 10_000;

/** @throws TypeError for options that cannot work */
export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const socket = new Socket(options);
  const streams = new Set<{ close(): void }>();
  const on: Subscriptions['on'] = (operation, variables, more = {}) => {
    const { name = operation.name } = more;
    const stream = new EventStream(socket.source(operation, variables, name), more);
    streams.add(stream);
    void stream.closed.catch(() => undefined).then(() => streams.delete(stream));
    return stream;
  };
  return {
    on,
    onRedemptionSettled: (more) => on(RedemptionSettled, {}, more),
    onRedemptionReversed: (more) => on(RedemptionReversed, {}, more),
    onOrderClosed: (more) => on(OrderClosed, {}, more),
    onSubscriptionInvalidated: (more) => on(SubscriptionInvalidated, {}, more),
    onSessionRevoked: (more) => on(SessionRevoked, {}, more),
    close: () => {
      for (const stream of streams) stream.close();
    },
  };
}

interface CloseLike {
  readonly code: number;
  readonly reason: string;
}

/** One socket for all streams. It is opened for the first, and closed behind the last. */
class Socket {
  private readonly client: Client;
  private readonly tokens: Tokens;
  private readonly retry: Required<RetryOptions>;
  private readonly store: TextStore | undefined;
  /** The token of the present connection, and the one for the next where it was refused. */
  private sent: string | null = null;
  private next: string | null = null;
  private isConnected = false;

  constructor(options: SubscriptionsOptions) {
    // Fetch is not used here, and may be missing.
    const { endpoint, headers, timeoutMs, retry } = connectionOf({ ...options, fetch: noFetch });
    this.tokens = new Tokens(options.token);
    this.retry = retry;
    this.store = options.cursorStore;
    this.client = createSocketClient({
      url: endpoint.replace(/^http/i, 'ws'),
      ...(options.WebSocket !== undefined && { webSocketImpl: options.WebSocket }),
      connectionParams: async () => this.params(headers),
      connectionAckWaitTimeout: timeoutMs,
      keepAlive: PING_EVERY_MS,
      // Streams reconnect themselves, each from its own cursor.
      retryAttempts: 0,
      onNonLazyError: () => undefined,
    });
    this.client.on('connected', () => void (this.isConnected = true));
    this.client.on('closed', () => void (this.isConnected = false));
    this.watchPongs();
  }

  source<Data>(
    operation: Operation<Data, never>,
    variables: object,
    streamName: string | null,
  ): EventSource<EventIn<Data>> {
    return {
      listen: (after, listener) => {
        let [off, leave] = [nothing, nothing];
        const listen = (from: string): void => {
          off = this.client.on('connected', () => listener.opened());
          if (this.isConnected) listener.opened();
          leave = this.run(operation, { ...variables, after: from }, listener, (event) =>
            listener.event(event as EventIn<Data>),
          );
        };
        const begin = (cursor: string): void => {
          listener.began(cursor);
          leave();
          listen(cursor);
        };
        if (after === null) leave = this.run(EventCursor, {}, listener, begin);
        else listen(after);
        return () => {
          off();
          leave();
        };
      },
      judge: async (why, failures) => this.judge(why, failures),
      cursors: cursorsIn(this.store, streamName, async () => this.tokens.current()),
    };
  }

  /** Sends one operation, and hands on what its only field gives. @returns a function that ends it */
  private run<Data>(
    { text, name }: Operation<Data, never>,
    variables: object,
    { ended }: Pick<EventListener<never>, 'ended'>,
    take: (value: Data[keyof Data]) => void,
  ): () => void {
    return this.client.subscribe<Readonly<Record<string, Data[keyof Data]>>>(
      { query: text, operationName: name, variables: { ...variables } },
      {
        next: ({ data, errors }) => {
          const value = Object.values(data ?? {})[0];
          if (errors === undefined && value !== undefined) take(value);
          else ended(errors);
        },
        error: (why) => ended(why),
        complete: () => name !== EventCursor.name && ended(undefined),
      },
    );
  }

  private async params(headers: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    this.sent = this.next ?? (await this.tokens.current());
    this.next = null;
    const { 'x-tenant-id': tenantId, ...others } = headers;
    if (this.sent !== null) return { ...others, authorization: `Bearer ${this.sent}` };
    return { ...others, ...(tenantId !== undefined && { 'x-tenant-id': tenantId }) };
  }

  private async judge(why: unknown, failures: number): Promise<{ error: RedeemkitError; waitMs: number }> {
    const error = errorBehind(why);
    const isRenewed = mayRenew(error) && (await this.renew(error));
    if (!isRenewed && !error.isRetryable) throw error;
    return { error, waitMs: Math.max(pauseMs(this.retry, failures), error.retryAfterMs ?? 0) };
  }

  /** @returns false where the application has no other token */
  private async renew({ code }: RedeemkitError): Promise<boolean> {
    try {
      const other = await this.tokens.renewed(this.sent, code);
      if (other === null) return false;
      this.next = other;
    } catch (error) {
      if (error instanceof RedeemkitError && !error.isRetryable) throw error;
      // Its server may be away, as this one is for a device that wakes up. The next connection asks again.
      return true;
    }
    // The token belongs to the connection. Streams that are well go on with the next one, from their cursors.
    if (this.isConnected) this.client.terminate();
    return true;
  }

  private watchPongs(): void {
    let timer: unknown;
    const settle = (): void => globals.clearTimeout(timer);
    this.client.on('ping', (isReceived) => {
      if (isReceived) return;
      settle();
      timer = globals.setTimeout(() => this.client.terminate(), PONG_WITHIN_MS);
    });
    this.client.on('pong', settle);
    this.client.on('closed', settle);
  }
}

const nothing = (): void => undefined;

const noFetch = async (): Promise<never> => {
  throw new TypeError('Subscriptions do not fetch.');
};

/** What the socket's client reports: errors of GraphQL, a close, an event without a word, or an error of ours. */
function errorBehind(why: unknown): RedeemkitError {
  if (why instanceof RedeemkitError) return why;
  if (Array.isArray(why) && why.length > 0) return errorOf(why[0] as GraphqlError);
  if (isClose(why)) return closeError(why);
  return new NetworkError('NETWORK_FAILED', 'The socket could not be opened, or broke.', { cause: why });
}

const isClose = (why: unknown): why is CloseLike =>
  typeof why === 'object' && why !== null && 'code' in why && 'reason' in why && typeof why.code === 'number';

function closeError({ code, reason }: CloseLike): RedeemkitError {
  const name = `SOCKET_${code}`;
  const message = reason === '' ? `The socket was closed with ${code}.` : reason;
  if (code === FORBIDDEN) return new UnauthenticatedError('UNAUTHENTICATED', message);
  if (FATAL_CLOSES.has(code)) return new RequestError(name, message);
  if (code === TOO_MANY_SOCKETS)
    return new RateLimitedError(name, message, { retryAfterMs: TOO_MANY_PAUSE_MS });
  return new NetworkError(name, message);
}
