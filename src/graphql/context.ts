import type { AccessRefusal, Actor } from './actor.js';
import type { Logger } from '../platform/observability/log.js';
import type { EventFeed } from '../platform/push/event-feed.js';

/** What a resolver knows of the request, the same over HTTP and WebSocket. */
export interface RequestContext {
  readonly requestId: string;
  /** Who asks, by the token; null without a token. */
  readonly actor: Actor | null;
  /** Judges whether the actor may do anything; asked before every operation. */
  readonly access: { refusalOf(actor: Actor): Promise<AccessRefusal | null> };
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
