import { LockMode, type MikroORM } from '@mikro-orm/core';
import type { Clock } from '../../platform/clock.js';
import type { Em } from '../../platform/database/orm.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type { OperationBy } from '../../platform/recording/current-operation.js';
import type { AccessService } from '../access.service.js';
import type { GuessLimits } from '../guess-limits.redis.js';
import type { SessionEndReason } from '../sessions/session.entity.js';
import type { SessionService } from '../sessions/session.service.js';
import type { TokenService } from '../token.service.js';
import type { PasswordHasher } from './password-hasher.js';
import type { RefusedSignIns } from './refused-sign-ins.redis.js';
import type { SecondFactor } from './second-factor.js';
import { Staff } from './staff.entity.js';

/** What the services of staff are made of. */
export interface StaffParts {
  readonly orm: MikroORM;
  readonly readOrm: MikroORM;
  readonly transactions: Transactions;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly tokens: TokenService;
  readonly access: AccessService;
  readonly sessions: SessionService;
  readonly guesses: GuessLimits;
  readonly hasher: PasswordHasher;
  readonly secondFactor: SecondFactor;
  readonly refusedSignIns: RefusedSignIns;
}

/** Locks the row of an account, which decides all its changes. */
export async function lockStaff(em: Em, id: Id): Promise<Staff | null> {
  return em.findOne(Staff, { id }, { disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** A member of staff who has just proven who it is, for the audit log. */
export function recordedAs({ tenantId, id, role }: Staff, sessionId: Id | null): OperationBy {
  return { kind: 'STAFF', tenantId, id, role, credentialId: sessionId };
}

/** Which sessions of an account end, and why. */
export interface StaffSessionsEnd {
  readonly tenantId: string;
  readonly staffId: Id;
  readonly reason: SessionEndReason;
  /** The caller's own, which stays. */
  readonly exceptId?: Id | undefined;
}

/** Ends sessions of an account in the caller's transaction, who has locked its row. @returns which */
export async function endSessions(
  em: Em,
  { sessions }: Pick<StaffParts, 'sessions'>,
  { tenantId, staffId: subjectId, reason, exceptId }: StaffSessionsEnd,
): Promise<Id[]> {
  return sessions.end(em, { tenantId, kind: 'STAFF', subjectId, exceptId }, reason);
}

/** After the commit: this process refuses the sessions at once, the others within a second. */
export function sessionsEnded(
  { access }: Pick<StaffParts, 'access'>,
  tenantId: string,
  ids: readonly Id[],
): void {
  for (const sessionId of ids) access.changed({ tenantId, sessionId });
}
