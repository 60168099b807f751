import type { UserActor } from '../../graphql/actor.js';
import { requireUser } from '../../graphql/auth.js';
import type { HttpRoute, RouteAnswer, RouteRefusal, RouteRequest } from '../../graphql/http-route.js';
import type { ExternalUserIds } from '../../identity/identity.module.js';
import { DomainError } from '../../platform/errors.js';
import { parseInput } from '../../platform/input.js';
import type { RedeemAnswer, RedeemRequest } from './redeem-request.js';
import { redeemPayload, redeemRequest } from './redemption-payload.js';
import {
  REDEEM_DOOR_STATUS,
  redeemAnswerSchema,
  redeemBody,
  redeemHeaders,
  shownRedemption,
  statusOf,
  USER_ID_DIFFERS,
} from './redeem-door.js';
import type { LogScope } from './redemption.service.js';

const JSON_TYPE = 'application/json; charset=utf-8';
/** When a store that did not answer may be asked again. */
const RETRY_MS = 1000;

interface DoorParts {
  readonly redemptions: { redeem(request: RedeemRequest, scope: LogScope): Promise<RedeemAnswer> };
  readonly externalUserIds: Pick<ExternalUserIds, 'of'>;
}

const answers = (description: string) => ({
  description,
  contentType: 'application/json',
  schema: redeemAnswerSchema,
});

/** Redeems by REST (seed 004): another door to the service that the mutation `redeemCode` calls. */
export function redeemRoutes(its: DoorParts): HttpRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/redeem',
      judgesAccess: true,
      isRedemption: true,
      refusalBody,
      answer: async (request) => redeem(its, request),
      about: {
        id: 'redeemCode',
        summary: 'Redeems a code for the signed-in user, exactly once.',
        description:
          'The same as the mutation `redeemCode`: the same checks, limits, idempotency keys and answers. Retry with the same idempotency key until the answer is neither 202, 429 nor 503.',
        headers: redeemHeaders,
        takes: { kind: 'JSON', schema: redeemBody },
        answers: {
          200: answers('COMMITTED: the code was redeemed and the rewards are given.'),
          202: answers(
            'PROCESSING: it will be settled soon. Repeat the call with the same key to learn the outcome.',
          ),
        },
        refusals: REDEEM_DOOR_STATUS,
        refusalSchema: redeemAnswerSchema,
      },
    },
  ];
}

async function redeem(its: DoorParts, { context, json }: RouteRequest): Promise<RouteAnswer> {
  const actor = requireUser(context);
  const { userId, ...input } = parseInput(redeemBody, json, { input: 'BAD_USER_INPUT' });
  if (isNamed(userId) && userId !== actor.userId) await requireOwnId(its, actor, userId);
  const answer = await its.redemptions.redeem(redeemRequest(actor, context, input), context);
  const { isLastingRefusal, redemption, ...payload } = redeemPayload(answer);
  const errors = payload.errors.map((error) => ({ ...error, field: bodyField(error.field) }));
  const body = { ...payload, redemption: redemption && shownRedemption(redemption), errors };
  return {
    status: statusOf(answer),
    contentType: JSON_TYPE,
    headers: retryAfter(answer.refusal),
    body: JSON.stringify(body),
    isLastingRefusal,
  };
}

/** A null or missing `userId` is not compared. */
const isNamed = (userId: string | null | undefined): userId is string =>
  userId !== null && userId !== undefined;

/** @throws DomainError where the id is not that of the token's user in the tenant's own system */
async function requireOwnId(
  { externalUserIds }: DoorParts,
  { tenantId, userId }: UserActor,
  given: string,
): Promise<void> {
  const own = await externalUserIds.of(tenantId, userId);
  if (own === null)
    throw new DomainError(
      'SERVICE_UNAVAILABLE',
      'The userId cannot be compared at the moment. Leave it out, or try again soon.',
      { field: ['userId'], retryAfterMs: RETRY_MS },
    );
  if (own !== given)
    throw new DomainError(
      USER_ID_DIFFERS,
      "The userId is not that of the token's user. Leave it out, or send the user's own token.",
      { field: ['userId'] },
    );
}

/** A refusal that passes says when; SERVICE_UNAVAILABLE does not know when, and asks for a pause. */
function retryAfter(refusal: RedeemAnswer['refusal']): Record<string, string> {
  const fallbackMs = refusal?.code === 'SERVICE_UNAVAILABLE' ? RETRY_MS : null;
  const waitMs = refusal?.retryAfterMs ?? fallbackMs;
  return waitMs === null ? {} : { 'retry-after': String(Math.ceil(waitMs / 1000)) };
}

/** One form for every refusal of the route, also of requests that reach no redemption. */
function refusalBody({ code, message, field, retryAfterMs }: RouteRefusal): object {
  const errors = [{ code, message, field: bodyField(field), retryAfterMs }];
  return { status: 'REFUSED', redemption: null, orderNo: null, errors };
}

/** The body is the input, so the path begins with its fields. */
function bodyField(field: readonly string[] | null): readonly string[] | null {
  const [first, ...rest] = field ?? [];
  if (first !== 'input') return field;
  return rest.length === 0 ? null : rest;
}
