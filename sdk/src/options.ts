import type { SettledEvents } from './outcome-bell.js';
import type { FetchLike, TextStore } from './platform.js';

/** Where the program runs. */
export type ClientEnv = 'web' | 'app' | 'mini';

/** Why a token is asked for. */
export interface TokenAsk {
  /** The server has refused this one: give another, or the same to let the call fail. */
  readonly refused: string | null;
  /** With which code, e.g. `UNAUTHENTICATED` or `SESSION_ENDED`. */
  readonly code: string | null;
}

/** A token, or a function that gives one: it is asked before each request and for each connection of a socket. */
export type TokenSource = string | ((ask: TokenAsk) => string | null | Promise<string | null>);

export interface RetryOptions {
  /** How long a call is repeated before it fails. 30,000 by default. */
  readonly deadlineMs?: number;
  /** The first pause; each further one is twice as long, half of it by chance. 200 by default. */
  readonly firstPauseMs?: number;
  /** 5,000 by default. */
  readonly maxPauseMs?: number;
}

/** What all entries of the package need to reach a server. */
export interface ConnectionOptions {
  /** The server: `https://codes.example.com`, with or without `/graphql`. */
  readonly url: string;
  /** The product line; sent as `x-product-code`. */
  readonly productCode?: string;
  readonly env: ClientEnv;
  /** Needed before sign-in, and for encryption. */
  readonly tenantId?: string;
  /** A random id of the device; sent as `x-device-id`. */
  readonly deviceId?: string;
  /** The platform's own by default; `miniFetch` of `@redeemkit/client/mini` in mini programs. */
  readonly fetch?: FetchLike;
  /** How long one request may take. 10,000 by default. */
  readonly timeoutMs?: number;
  readonly retry?: RetryOptions;
  /** Seals requests and opens replies; `envelopes` of `@redeemkit/client/encryption` makes one. */
  readonly encryption?: Encryption;
}

export interface ClientOptions extends ConnectionOptions {
  readonly token?: TokenSource;
  /**
   * Where redemptions that are under way are noted, so that `resumePending` settles them after a reload: `localStorage`,
   * for example. Their codes stand in it. By default they are noted in memory.
   */
  readonly pendingStore?: TextStore;
  /**
   * Live events of the same user, by `createSubscriptions` of `@redeemkit/client/subscriptions`. With them `redeemCode`
   * resolves by the event of a redemption that is under way; without them it asks again and again.
   */
  readonly subscriptions?: SettledEvents;
}

/** What a request is bound to. */
export interface SealedRequest {
  /** With its query, as the server receives it. */
  readonly path: string;
  readonly tenantId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request that was sealed, and how its reply is opened. */
export interface Sealed {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly open: (status: number, body: string) => Promise<string>;
}

export interface Encryption {
  seal(request: SealedRequest): Promise<Sealed>;
  /** Learns from `ENVELOPE_EXPIRED`. @returns whether the request is worth sealing again */
  correct(extensions: Readonly<Record<string, unknown>>): boolean;
}
