import type { Id } from '../platform/ids.js';
import type { AccessRefusal, Actor, KeyRefusal } from './actor.js';
import type { Logger } from '../platform/observability/log.js';
import type { EventFeed } from '../platform/push/event-feed.js';

/** A user whose token was made by an API key. */
export interface KeyedUser {
  readonly tenantId: string;
  readonly userId: Id;
  readonly keyId: Id;
}

/** Whether an actor may do anything at all. */
export interface AccessJudge {
  /** Asked before every operation and every event. */
  refusalOf(actor: Actor): Promise<AccessRefusal | null>;
  /** As far as this process knows, without asking a store: before everything that is sent over a socket. */
  knownRefusalOf(actor: Actor): AccessRefusal | null;
  /** The same for the API key alone that has made the token of a user. */
  refusalOfKey(keyed: KeyedUser): Promise<KeyRefusal | null>;
}

/** What a resolver knows of the request, the same over HTTP and WebSocket. */
export interface RequestContext {
  readonly requestId: string;
  /** Who asks, by the token; null without a token. */
  readonly actor: Actor | null;
  readonly access: AccessJudge;
  /** `x-tenant-id`: the tenant of a caller without a token. Who is signed in has the tenant of the token. */
  readonly tenantId: string | null;
  /** `x-product-code` */
  readonly productCode: string | null;
  /** `x-device-id` */
  readonly deviceId: string | null;
  /** `idempotency-key` */
  readonly idempotencyKey: string | null;
  readonly ip: string;
  readonly log: Logger;
  /** What is pushed after commits. */
  readonly events: EventFeed;
}
