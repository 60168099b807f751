import { duringOperation, type OperationBy } from '../platform/recording/current-operation.js';
import type { Actor, StaffActor } from './actor.js';
import type { RequestContext } from './context.js';

/** Called by partners' servers once for each of their users; the entries would bury the partner's own changes. */
const BY_PARTNERS_FOR_USERS: ReadonlySet<string> = new Set(['createUserToken']);
/** They continue a session that is on record. A token that is sent along has no effect. */
const REFRESHES: ReadonlySet<string> = new Set([
  'refreshStaffSession',
  'refreshDeviceSession',
  'POST /console/session/refresh',
]);

type Caller = Pick<RequestContext, 'actor' | 'ip' | 'requestId' | 'log'>;

/** How an operation is recorded. */
export interface RecordedAs {
  readonly name: string;
  /** Arguments, without the body of a route. */
  readonly input: unknown;
  /** The service names the caller once the sign-in is verified; a token sent along is ignored. */
  readonly signsStaffIn: boolean;
}

/**
 * Runs an operation and has the audit log record what it changes, if its caller is staff or a partner's server, or if
 * it signs staff in. Operations of users and nodes are not recorded, at no cost.
 */
export function recordedFor<T>(
  context: Caller,
  { name, input, signsStaffIn }: RecordedAs,
  work: () => T | Promise<T>,
): T | Promise<T> {
  const { actor, ip, requestId } = context;
  const by = signsStaffIn ? null : byOf(actor, name);
  if (by === null && !signsStaffIn) return work();
  const onUnrecorded = (tables: readonly string[]): void =>
    context.log.error({ operation: name, tables }, 'a change is not in the audit log');
  const facts = { name, by, ip, requestId, input: argumentsOf(input), onUnrecorded };
  return duringOperation(facts, async () => work());
}

function byOf(actor: Actor | null, name: string): OperationBy | null {
  if (REFRESHES.has(name)) return null;
  if (actor?.kind === 'STAFF') return staffBy(actor);
  if (actor?.kind !== 'PARTNER' || BY_PARTNERS_FOR_USERS.has(name)) return null;
  const { kind, tenantId, partnerId: id, keyId: credentialId } = actor;
  return { kind, tenantId, id, role: null, credentialId };
}

function staffBy({ kind, tenantId, staffId, role, sessionId }: StaffActor): OperationBy {
  return { kind, tenantId, id: staffId, role, credentialId: sessionId ?? null };
}

/** Every mutation has the one argument `input`. */
function argumentsOf(input: unknown): unknown {
  const { input: own, ...others } = (input ?? {}) as { input?: unknown };
  return Object.keys(others).length === 0 ? (own ?? null) : input;
}
