import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';

/** The user whose data are erased. */
export interface ErasedUser {
  readonly tenantId: string;
  readonly userId: Id;
  readonly now: Date;
}

/** What was found at a user, and leads to what stores beside the database hold. */
export interface ErasedTraces {
  /** As clients sent them, and as devices signed in by them. */
  readonly deviceIds: Set<string>;
  /** Redemptions of the last days: jobs that settled them may still be there. */
  readonly redemptionIds: Set<Id>;
  readonly sessionIds: Set<Id>;
}

/** Erases what one feature keeps of a user beside ids, amounts and instants. Each such feature puts itself in. */
export interface UserErasure {
  /** Inside the transaction of the caller, who has locked the user; by raw statements, so that no entry shows the values. */
  erase?(em: Em, user: ErasedUser, traces: ErasedTraces): Promise<void>;
  /** After the commit, also when the user was erased before: for Redis, whose data expire in any case, and for what takes long. */
  forget?(user: ErasedUser, traces: ErasedTraces): Promise<void>;
}
