import { GraphQLError } from 'graphql';
import type { BusyBound, BusyError } from '../platform/scheduling/fair-gate.js';
import type { Caller } from '../platform/scheduling/fair-queue.js';
import { networkOf } from '../platform/network-of.js';
import { actorId } from '../graphql/actor.js';
import type { RequestContext } from '../graphql/context.js';

/** On whose behalf an operation runs: who is signed in, else the address, or the network that one client can have. */
export function callerOf({ actor, ip }: Pick<RequestContext, 'actor' | 'ip'>): Caller {
  if (actor === null) return { tenantId: '', kind: 'ADDRESS', id: networkOf(ip) };
  const { tenantId, kind } = actor;
  return { tenantId, kind, id: actorId(actor) };
}

/** The refusal that was thrown. @throws the error itself where it is a fault */
export function refusalIn(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  throw error;
}

/** A caller has to wait before this can be served; nothing was done. */
export function rateLimited(message: string, retryAfterMs: number): GraphQLError {
  return later('RATE_LIMITED', 429, message, retryAfterMs);
}

const BUSY: Readonly<Record<BusyBound, (most: number) => string>> = {
  CALLER: (most) =>
    `You have ${most} requests waiting already. Wait for their answers, then send this one again.`,
  TENANT: (most) =>
    `The users and staff of your tenant have ${most} requests waiting already. Send this one again later.`,
  ALL: (most) => `The server has ${most} requests waiting already. Send this one again later.`,
  TIME: (most) =>
    `This request has waited ${most / 1000} s for its turn, and nothing of it was done. Send it again later.`,
};

/** The error of work that was not begun: too many requests of the caller or its tenant, or a busy server. */
export function busyAnswer({ bound, most, retryAfterMs }: BusyError): GraphQLError {
  const message = BUSY[bound](most);
  const isOwn = bound === 'CALLER' || bound === 'TENANT';
  return isOwn
    ? rateLimited(message, retryAfterMs)
    : later('SERVICE_UNAVAILABLE', 503, message, retryAfterMs);
}

function later(code: string, status: number, message: string, retryAfterMs: number): GraphQLError {
  const headers = new Map([['retry-after', String(Math.ceil(retryAfterMs / 1000))]]);
  return new GraphQLError(message, {
    extensions: { code, retryAfterMs, http: { status, headers } },
  });
}
