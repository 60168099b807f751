import { duringOperation, type OperationBy } from '../platform/recording/current-operation.js';
import type { Actor, StaffActor } from './actor.js';
import type { RequestContext } from './context.js';

/** Operations by which servers of partners act for their users, as often as these do. */
const BY_PARTNERS_FOR_USERS: ReadonlySet<string> = new Set(['createUserToken']);

type Caller = Pick<RequestContext, 'actor' | 'ip' | 'requestId' | 'log'>;

/** How an operation is recorded. */
export interface RecordedAs {
  readonly name: string;
  /** Arguments, without the body of a route. */
  readonly input: unknown;
  /** Its service says who runs it; a token that comes along counts for nothing. */
  readonly signsStaffIn: boolean;
}

/**
 * Runs an operation so that the audit log gets what it changes: one by staff or by the server of a partner, and a
 * sign-in of staff. Operations of users and nodes are not recorded, and cost nothing.
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
