import { GraphQLError, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { AccessRefusal } from '../graphql/actor.js';
import { TENANT_NOT_ACTIVE_MESSAGE } from '../graphql/auth.js';
import { JUDGES_ACCESS, OPEN_IN_OUTAGE } from '../graphql/field-marks.js';
import { StoreUnavailableError } from '../platform/errors.js';
import type { RequestContext } from '../graphql/context.js';
import { ruleOf } from '../graphql/permit-operations.js';

const MESSAGES: Record<AccessRefusal, string> = {
  TENANT_NOT_ACTIVE: TENANT_NOT_ACTIVE_MESSAGE,
  USER_DISABLED: 'This account does not exist or is disabled. Ask the support of the app or site.',
  SESSION_ENDED: 'Your session has ended. Sign in again.',
  NODE_NOT_FOUND:
    'This node does not exist or was deleted. Ask the staff of the tenant for a token of another one.',
  API_KEY_REVOKED: 'The API key was revoked, and with it the tokens that it has made. Use another key.',
  API_KEY_EXPIRED: 'The API key has expired. Use another key.',
  PARTNER_DISABLED: 'The partner is disabled. Ask the staff of the tenant.',
};

const guarded = new WeakSet<GraphQLSchema>();

/**
 * The border: puts the check of the caller's tenant, user, session and node before every operation of the schema, and before every
 * event of a subscription, so that no resolver can forget it.
 * @throws InvariantError for an operation that stands in no table of permissions
 */
export function guardOperations(schema: GraphQLSchema): void {
  if (guarded.has(schema)) return;
  guarded.add(schema);
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      ruleOf(field);
      if (field.extensions['access'] === JUDGES_ACCESS.access) guardKey(field as Field);
      else guard(field as Field);
    }
  }
}

type Field = GraphQLField<unknown, RequestContext>;

function guard(field: Field): void {
  const { resolve, subscribe, extensions } = field;
  // An event would be lost: its subscription was admitted, and continues with the next one.
  const isOpen = extensions['access'] === OPEN_IN_OUTAGE.access || subscribe !== undefined;
  const admitted = isOpen ? admitInOutage : admit;
  if (resolve !== undefined) {
    field.resolve = async (source, args, context, info) => {
      await admitted(context);
      return resolve(source, args, context, info);
    };
  }
  if (subscribe !== undefined) {
    field.subscribe = async (source, args, context, info) => {
      await admit(context);
      return subscribe(source, args, context, info);
    };
  }
}

/** The service judges tenant and user, and knows nothing of the key that has made the token. */
function guardKey(field: Field): void {
  const { resolve } = field;
  if (resolve === undefined) return;
  field.resolve = (source, args, context, info) => {
    const admitted = admitKey(context);
    if (admitted === null) return resolve(source, args, context, info);
    return admitted.then(() => resolve(source, args, context, info));
  };
}

/**
 * Judges the API key that has made the token of a user; null for any other caller, who need not wait.
 * The promise rejects with a GraphQLError.
 */
export function admitKey({ actor, access }: Pick<RequestContext, 'actor' | 'access'>): Promise<void> | null {
  if (actor?.kind !== 'USER' || actor.keyId === undefined) return null;
  const { tenantId, userId, keyId } = actor;
  return unlessRefused(access.refusalOfKey({ tenantId, userId, keyId }));
}

async function unlessRefused(judged: Promise<AccessRefusal | null>): Promise<void> {
  const refusal = await judged;
  if (refusal !== null) throw refusalError(refusal);
}

/** @throws GraphQLError with the refusal, or StoreUnavailableError while the status cannot be read */
export async function admit({ actor, access }: Pick<RequestContext, 'actor' | 'access'>): Promise<void> {
  if (actor === null) return;
  const refusal = await access.refusalOf(actor);
  if (refusal !== null) throw refusalError(refusal);
}

export function refusalError(refusal: AccessRefusal, status?: number): GraphQLError {
  const http = status === undefined ? {} : { http: { status } };
  return new GraphQLError(MESSAGES[refusal], { extensions: { code: refusal, ...http } });
}

/** The same, except that a caller whose status cannot be read is admitted. */
export async function admitInOutage(context: Pick<RequestContext, 'actor' | 'access'>): Promise<void> {
  try {
    await admit(context);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
  }
}
