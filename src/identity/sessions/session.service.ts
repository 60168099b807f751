import { LockMode } from '@mikro-orm/core';
import type { Clock } from '../../platform/clock.js';
import { insertNew } from '../../platform/database/insert-new.js';
import { updateRows } from '../../platform/database/delete-rows.js';
import type { Em } from '../../platform/database/orm.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { DomainError } from '../../platform/errors.js';
import { sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type { AccessService } from '../access.service.js';
import {
  newRefreshToken,
  nextRefreshToken,
  parseRefreshToken,
  refreshTokenText,
  secretDigest,
  type RefreshToken,
} from './refresh-token.js';
import { Session, type SessionEndReason, type SessionKind } from './session.entity.js';

export const REFRESH_SESSION_REFUSALS = [
  'REFRESH_TOKEN_UNKNOWN',
  'TENANT_NOT_ACTIVE',
  'SESSION_ENDED',
  'REFRESH_TOKEN_REUSED',
] as const;
type RefreshSessionRefusal = (typeof REFRESH_SESSION_REFUSALS)[number];

const MESSAGES: Record<RefreshSessionRefusal, string> = {
  REFRESH_TOKEN_UNKNOWN: 'This is no refresh token of this installation. Sign in again.',
  TENANT_NOT_ACTIVE: 'This tenant does not exist or is disabled. Ask the operator of the installation.',
  SESSION_ENDED: 'The session has ended. Sign in again.',
  REFRESH_TOKEN_REUSED:
    'This refresh token was used before, so someone else may have it. The session was ended; sign in again.',
};

const IP_LENGTH_MAX = 45;

/** How long sessions of a kind last. */
export interface SessionLife {
  /** Without a refresh. */
  readonly idleMs: number;
  /** From the sign-in, however often it is refreshed. */
  readonly maxMs: number;
}

export interface SessionSubject {
  readonly tenantId: string;
  readonly kind: SessionKind;
  /** The member of staff, or the user. */
  readonly subjectId: Id;
  readonly deviceId?: Id | null;
  /** From which address it is opened. */
  readonly ip?: string | null | undefined;
}

export interface OpenedSession {
  readonly sessionId: Id;
  /** For the client; it is not stored, and works once. */
  readonly refreshToken: string;
  readonly refreshExpiresAt: Date;
}

/** A session whose refresh token was accepted and replaced. */
export interface RefreshedSession extends OpenedSession {
  readonly tenantId: string;
  readonly subjectId: Id;
  readonly deviceId: Id | null;
}

/** Which sessions end: one, those of a subject, or those of a device. */
export type SessionsMeant =
  | { readonly tenantId: string; readonly sessionId: Id }
  | {
      readonly tenantId: string;
      readonly kind: SessionKind;
      readonly subjectId: Id;
      /** The one that stays open. */
      readonly exceptId?: Id | undefined;
    }
  | { readonly tenantId: string; readonly deviceId: Id };

export interface SessionParts {
  readonly transactions: Transactions;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly access: Pick<AccessService, 'refusalOf' | 'changed'>;
  readonly lives: Readonly<Record<SessionKind, SessionLife>>;
}

type Refreshed = Session | RefreshSessionRefusal;

/**
 * Sessions: a sign-in and the tokens that follow from it. The row decides: an access token names its session (`sid`),
 * and `AccessService` refuses the tokens of one that has ended. Refresh tokens rotate: each works once, and a token
 * sent a second time ends the session, because someone else may hold it.
 */
export class SessionService {
  constructor(private readonly its: SessionParts) {}

  /** Id and token of a session, for callers whose transaction may run again after an unknown COMMIT: {@link opened}. */
  choose(tenantId: string): RefreshToken {
    return newRefreshToken(tenantId, this.its.ids.next());
  }

  /**
   * Opens a session in the caller's transaction. The caller has locked the row of the subject, so that no session is
   * opened past a change that ends all of them.
   */
  async open(
    em: Em,
    { tenantId, kind, subjectId, deviceId = null, ip }: SessionSubject,
    token = this.choose(tenantId),
  ): Promise<OpenedSession> {
    const { sessionId } = token;
    const nowMs = this.its.clock.nowMs();
    const { idleMs, maxMs } = this.its.lives[kind];
    const expiresAt = new Date(nowMs + Math.min(idleMs, maxMs));
    await insertNew(em, Session, {
      tenantId,
      id: sessionId,
      kind,
      subjectId,
      deviceId,
      ip: ip ? ip.slice(0, IP_LENGTH_MAX) : null,
      familyDigest: secretDigest(token.family),
      refreshDigest: secretDigest(token.secret),
      createdAt: new Date(nowMs),
      expiresAt,
      endedAt: null,
      endedReason: null,
    });
    return { sessionId, refreshToken: refreshTokenText(token), refreshExpiresAt: expiresAt };
  }

  /** The session that an earlier run of the caller's transaction has opened; null where that run was undone. */
  async opened(em: Em, token: RefreshToken): Promise<OpenedSession | null> {
    const { sessionId } = token;
    const row = await em.findOne(Session, { id: sessionId }, { disableIdentityMap: true });
    if (row === null) return null;
    return { sessionId, refreshToken: refreshTokenText(token), refreshExpiresAt: row.expiresAt };
  }

  /**
   * Exchanges a refresh token for the next one. Of several calls with the same token one succeeds; the others end the
   * session, also for the one that succeeded.
   * @throws DomainError one of {@link REFRESH_SESSION_REFUSALS}
   */
  async refresh(kind: SessionKind, refreshToken: string): Promise<RefreshedSession> {
    const token = parseRefreshToken(refreshToken);
    if (token === null) throw refused('REFRESH_TOKEN_UNKNOWN');
    const { tenantId, sessionId } = token;
    if ((await this.its.access.refusalOf({ tenantId })) !== null) throw refused('TENANT_NOT_ACTIVE');
    // Chosen before the transaction: a second run after an unknown COMMIT meets its own token.
    const next = nextRefreshToken(token);
    const session = await this.its.transactions.runForCaller(tenantId, async (em) =>
      this.rotate(em, kind, token, next),
    );
    if (session === 'REFRESH_TOKEN_REUSED') this.its.access.changed({ tenantId, sessionId });
    if (typeof session === 'string') throw refused(session);
    return {
      tenantId,
      sessionId,
      subjectId: session.subjectId,
      deviceId: session.deviceId ?? null,
      refreshToken: refreshTokenText(next),
      refreshExpiresAt: session.expiresAt,
    };
  }

  /**
   * Ends sessions in the caller's transaction; call {@link AccessService.changed} for each after its commit.
   * @returns the ids of those that were open
   */
  async end(em: Em, meant: SessionsMeant, reason: SessionEndReason): Promise<Id[]> {
    const { tenantId } = meant;
    const open = await em.find(
      Session,
      { ...conditionOf(meant), endedAt: null },
      { fields: ['id'], disableIdentityMap: true },
    );
    const except = 'exceptId' in meant ? meant.exceptId : undefined;
    const ids = sortedIds(open.map(({ id }) => id).filter((id) => id !== except));
    await updateRows(
      em,
      { table: 'session', prefix: { tenant_id: tenantId }, column: 'id', ids },
      'r.ended_reason = if(r.ended_at is null, ?, r.ended_reason), r.ended_at = coalesce(r.ended_at, ?)',
      [reason, new Date(this.its.clock.nowMs())],
    );
    return ids;
  }

  /** Under the row's lock: of two calls with one token the second meets the digest that the first has left. */
  private async rotate(
    em: Em,
    kind: SessionKind,
    token: RefreshToken,
    next: RefreshToken,
  ): Promise<Refreshed> {
    const { tenantId, sessionId: id } = token;
    const row = await em.findOne(
      Session,
      { id },
      { disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (row === null || row.kind !== kind || row.familyDigest !== secretDigest(token.family))
      return 'REFRESH_TOKEN_UNKNOWN';
    const nowMs = this.its.clock.nowMs();
    if (row.endedAt !== null || row.expiresAt.getTime() <= nowMs) return 'SESSION_ENDED';
    const nextDigest = secretDigest(next.secret);
    if (row.refreshDigest === nextDigest) return row;
    if (row.refreshDigest !== secretDigest(token.secret)) {
      await this.end(em, { tenantId, sessionId: id }, 'REFRESH_TOKEN_REUSED');
      return 'REFRESH_TOKEN_REUSED';
    }
    const { idleMs, maxMs } = this.its.lives[kind];
    const expiresAt = new Date(Math.min(nowMs + idleMs, row.createdAt.getTime() + maxMs));
    // Not noted as a change: every process would read the session again at each refresh.
    await em.execute(
      'update session set refresh_digest = ?, expires_at = ?, changed_at = changed_at where tenant_id = ? and id = ?',
      [nextDigest, expiresAt, tenantId, id],
    );
    return Object.assign(row, { expiresAt });
  }
}

function conditionOf(meant: SessionsMeant) {
  if ('sessionId' in meant) return { id: meant.sessionId };
  if ('deviceId' in meant) return { deviceId: meant.deviceId };
  return { kind: meant.kind, subjectId: meant.subjectId };
}

function refused(code: RefreshSessionRefusal): DomainError<RefreshSessionRefusal> {
  return new DomainError(code, MESSAGES[code], { field: ['input', 'refreshToken'] });
}
