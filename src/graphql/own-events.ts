import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { requireActor } from './auth.js';
import type { RequestContext } from './context.js';

/** The source of a subscription: events of one type, a user's own or, for staff, all of the tenant. */
export function ownEvents(type: string) {
  return async ({ context }: { context: RequestContext }): Promise<AsyncIterable<PublishedEvent>> => {
    const actor = requireActor(context);
    const userId = actor.kind === 'USER' ? actor.userId : null;
    return context.events.subscribe(actor.tenantId, { type, userId });
  };
}
