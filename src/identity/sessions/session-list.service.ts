import type { FilterQuery, MikroORM } from '@mikro-orm/core';
import type { PersonActor } from '../../graphql/actor.js';
import { present } from '../../platform/assert.js';
import type { Clock } from '../../platform/clock.js';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm } from '../../platform/database/orm.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { AccessService } from '../access.service.js';
import { Session, type SessionKind } from './session.entity.js';
import type { SessionService } from './session.service.js';

export const END_SESSION_REFUSALS = ['SESSION_NOT_FOUND'] as const;

interface SessionListParts {
  /** Where lists are read, which may take long. */
  readonly readOrm: MikroORM;
  readonly clock: Clock;
  readonly transactions: Transactions;
  readonly sessions: Pick<SessionService, 'end'>;
  readonly access: Pick<AccessService, 'changed'>;
}

/** Whose sessions are listed. */
interface SessionsOf {
  readonly kind: SessionKind;
  /** The member of staff, or the user; the name in an operator's token is no id. */
  readonly subjectId: string;
  /** Whether those that have ended are listed, too. */
  readonly withEnded: boolean;
}

/** The sessions that a person sees, and ends. */
export class SessionListService {
  constructor(private readonly its: SessionListParts) {}

  /** Newest first, with the exact total. */
  async page(
    tenantId: string,
    { kind, subjectId, withEnded }: SessionsOf,
    range: PageRange,
  ): Promise<Page<Session>> {
    if (!isId(subjectId)) return EMPTY_PAGE;
    const open = { endedAt: null, expiresAt: { $gt: new Date(this.its.clock.nowMs()) } };
    const where: FilterQuery<Session> = { kind, subjectId, ...(withEnded ? {} : open) };
    return findPage(tenantEm(this.its.readOrm, tenantId), Session, where, range);
  }

  /**
   * Ends one of the caller's own sessions; an OWNER ends those of any member of staff. One that has ended stays as it is.
   * The change takes effect in this process at once, in others within a second.
   * @throws DomainError one of {@link END_SESSION_REFUSALS}
   */
  async end(actor: PersonActor, sessionId: Id): Promise<Session> {
    if (!isId(sessionId)) throw sessionNotFound();
    const { tenantId } = actor;
    const session = await this.its.transactions.runForCaller(tenantId, async (em) => {
      const read = async () => em.findOne(Session, { id: sessionId }, { disableIdentityMap: true });
      const row = await read();
      if (row === null || !mayEnd(actor, row)) throw sessionNotFound();
      await this.its.sessions.end(em, { tenantId, sessionId }, 'SIGNED_OUT');
      // Another call may have ended it since it was read.
      return present(await read(), 'The session');
    });
    this.its.access.changed({ tenantId, sessionId });
    return session;
  }
}

function mayEnd(actor: PersonActor, { kind, subjectId }: Session): boolean {
  if (actor.kind === 'USER') return kind === 'DEVICE' && subjectId === actor.userId;
  return kind === 'STAFF' && (actor.role === 'OWNER' || subjectId === actor.staffId);
}

function sessionNotFound(): DomainError<(typeof END_SESSION_REFUSALS)[number]> {
  return new DomainError('SESSION_NOT_FOUND', 'You have no session with this id.', {
    field: ['input', 'sessionId'],
  });
}
