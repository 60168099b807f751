import { GraphQLError } from 'graphql';
import type { Caller } from '../platform/fair-queue.js';
import type { RequestContext } from './context.js';

/** On whose behalf an operation runs: who is signed in, else the address. */
export function callerOf({ actor, ip }: Pick<RequestContext, 'actor' | 'ip'>): Caller {
  if (actor === null) return { tenantId: '', id: ip };
  const id = actor.kind === 'USER' ? actor.userId : actor.staffId;
  return { tenantId: actor.tenantId, id: `${actor.kind} ${id}` };
}

/** A caller has to wait before this can be served; nothing was done. */
export function rateLimited(message: string, retryAfterMs: number): GraphQLError {
  const headers = new Map([['retry-after', String(Math.ceil(retryAfterMs / 1000))]]);
  return new GraphQLError(message, {
    extensions: { code: 'RATE_LIMITED', retryAfterMs, http: { status: 429, headers } },
  });
}
