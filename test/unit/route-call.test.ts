import { expect, it } from 'vitest';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccessRefusal, Actor } from '../../src/graphql/actor.js';
import type { RequestContext } from '../../src/graphql/context.js';
import type { HttpRoute } from '../../src/graphql/http-route.js';
import { USERS } from '../../src/graphql/rule.js';
import { rateLimited } from '../../src/transport/caller.js';
import { RouteCall, type RouteCallParts } from '../../src/transport/route-call.js';

const USER: Actor = { kind: 'USER', tenantId: 'T_1', userId: '42' };
const NODE: Actor = { kind: 'NODE', tenantId: 'T_1', nodeId: '7' };

interface Played {
  readonly actor?: Actor | null;
  readonly refusal?: AccessRefusal;
  readonly route?: Partial<HttpRoute>;
  readonly urgently?: RouteCallParts['shares']['urgently'];
}

/** Plays one call of a route, and tells what it did and answered. */
async function play({ actor = USER, refusal, route = {}, urgently }: Played) {
  const steps: string[] = [];
  const headers: Record<string, string> = {};
  const reply = {
    raw: {},
    status: 0,
    body: '',
    code: (status: number) => Object.assign(reply, { status }),
    header: (name: string, value: string) => Object.assign(headers, { [name]: value }) && reply,
    headers: (all: Record<string, string>) => Object.assign(headers, all) && reply,
    send: (body: string) => Object.assign(reply, { body }),
  };
  const refusalOf = async (): Promise<AccessRefusal | null> => {
    steps.push('access');
    return refusal ?? null;
  };
  const context = {
    actor,
    requestId: 'r1',
    ip: '127.0.0.1',
    access: { refusalOf },
  } as unknown as RequestContext;
  const shares: RouteCallParts['shares'] = {
    urgently: async (caller, work) => {
      steps.push(`share of ${caller.kind} ${caller.id}`);
      return work();
    },
  };
  const made: HttpRoute = {
    method: 'POST',
    path: '/x',
    about: { id: 'x', summary: 'X', takes: { kind: 'JSON' }, answers: {}, refusals: {} },
    answer: async () => {
      steps.push('answer');
      return { contentType: 'application/json', body: '{}' };
    },
    ...route,
  };
  const parts: RouteCallParts = {
    contextOf: () => context,
    allowStream: () => undefined,
    shares: urgently === undefined ? shares : { urgently },
  };
  const request = { params: {}, query: {}, headers: {}, body: {}, raw: { errored: null } };
  await new RouteCall(made, USERS, parts).answer(
    request as unknown as FastifyRequest,
    reply as unknown as FastifyReply,
  );
  return { steps, status: reply.status, body: reply.body, headers };
}

it('a redemption by a route takes the place of its user among redemptions, as a mutation does', async () => {
  const { steps, status } = await play({ route: { isRedemption: true, judgesAccess: true } });
  expect([status, steps]).toEqual([200, ['share of USER 42', 'answer']]);
});

it('a redemption that gets no place is answered with the status and the time of the places', async () => {
  const urgently = async (): Promise<never> => {
    throw rateLimited('Wait.', 1500);
  };
  const { status, headers, body } = await play({ route: { isRedemption: true }, urgently });
  expect([status, headers['retry-after']]).toEqual([429, '2']);
  expect(JSON.parse(body)).toEqual({
    errors: [{ message: 'Wait.', extensions: { code: 'RATE_LIMITED', retryAfterMs: 1500 } }],
  });
});

it('any other route takes no place, and its caller is judged first', async () => {
  expect((await play({})).steps).toEqual(['access', 'answer']);
});

it('a caller who may do nothing, or not this, reaches neither a place nor the feature', async () => {
  const route = { isRedemption: true };
  expect(await play({ route, refusal: 'USER_DISABLED' })).toMatchObject({ status: 403, steps: ['access'] });
  expect(await play({ route, actor: NODE })).toMatchObject({ status: 403, steps: ['access'] });
  expect(await play({ route, actor: null })).toMatchObject({ status: 401, steps: [] });
});
