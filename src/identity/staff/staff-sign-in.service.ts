import type { StaffActor } from '../../graphql/actor.js';
import { present } from '../../platform/assert.js';
import { nextVersion } from '../../platform/database/change-row.js';
import type { DomainError } from '../../platform/errors.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { identifyOperation } from '../../platform/recording/current-operation.js';
import type { Guess } from '../guess-limits.redis.js';
import type { RefreshToken } from '../sessions/refresh-token.js';
import type { OpenedSession } from '../sessions/session.service.js';
import { TOKEN_TTL_MAX_S } from '../token-life.js';
import { lockStaff, recordedAs, sessionsEnded, type StaffParts } from './staff-parts.js';
import { Staff } from './staff.entity.js';
import { staffRefusal, tooManyAttempts, type StaffRefusal } from './staff.errors.js';
import { typedPassword } from './staff-input.js';

/** The form of a tenant's id. */
export const TENANT_ID = /^[A-Z0-9_]{2,24}$/;

export interface SignIn {
  /** From the input, or the header `x-tenant-id`. */
  readonly tenantId: string | null;
  readonly email: string;
  readonly password: string;
  readonly totpCode?: string | null | undefined;
  readonly ip: string;
}

/** What a client of a member of staff gets, by a sign-in or a refresh. */
export interface StaffSession {
  readonly accessToken: string;
  readonly expiresAt: Date;
  readonly refreshToken: string;
  readonly refreshExpiresAt: Date;
  readonly staff: Staff;
}

/** Besides the password. */
interface Typed {
  readonly code: string | null;
  readonly token: RefreshToken;
  readonly ip: string;
}

type Opened = { readonly session: OpenedSession; readonly staff: Staff } | StaffRefusal;

/** Sessions of staff: sign-in by password and second factor, refresh, sign-out. */
export class StaffSignInService {
  constructor(private readonly its: StaffParts) {}

  /**
   * Whether the tenant, the account, the password or the code is wrong, the answer is the same and takes the same work.
   * @throws DomainError one of `SIGN_IN_STAFF_REFUSALS`
   */
  async signIn({ tenantId, email, password, totpCode = null, ip }: SignIn): Promise<StaffSession> {
    if (tenantId === null || !TENANT_ID.test(tenantId)) throw staffRefusal('TENANT_REQUIRED');
    const account = email.trim().toLowerCase().slice(0, 254);
    const guess = await this.admitted({ tenantId, account, ip });
    const tried = this.tried(tenantId, account, password);
    const { staff, isProven } = await this.its.guesses.judged(guess, tried);
    if (staff === null || !isProven) throw this.refused(staff);
    const token = this.its.sessions.choose(tenantId);
    const opened = await this.its.transactions.runForCaller(
      tenantId,
      async (em, readsBack) =>
        // A COMMIT whose reply was lost has used up the code: the same code would be refused now.
        (readsBack ? await this.openedBefore(em, staff.id, token) : null) ??
        this.open(em, staff, { code: totpCode, token, ip }),
    );
    // Not counted against the address. It stays counted for the account, or a known password would allow free guesses of codes.
    if (opened === 'TOTP_REQUIRED') await this.its.guesses.forgiveAddress(guess);
    if (opened === 'SIGN_IN_REFUSED') throw this.refused(staff);
    if (typeof opened === 'string') throw staffRefusal(opened);
    await this.succeeded(guess);
    return this.signed(opened.staff, opened.session);
  }

  /**
   * Opens a session for a person authenticated elsewhere, as by OpenID Connect. Accepts an open invitation, too. Null if
   * the account or its tenant may not sign in.
   */
  async openProven(account: Staff, ip: string | null): Promise<StaffSession | null> {
    const isTenantActive = (await this.its.access.refusalOf({ tenantId: account.tenantId })) === null;
    const opened = isTenantActive ? await this.openInvited(account, ip) : null;
    if (opened === null) this.its.refusedSignIns.note(account);
    return opened === null ? null : this.signed(opened.staff, opened.session);
  }

  /** @throws DomainError one of `REFRESH_STAFF_SESSION_REFUSALS` */
  async refresh(refreshToken: string): Promise<StaffSession> {
    const session = await this.its.sessions.refresh('STAFF', refreshToken);
    const { tenantId, subjectId } = session;
    // A change that ends access ends the session, so the role of the row is the one that the session has.
    const staff = await this.find(tenantId, { id: subjectId });
    return this.signed(present(staff, 'The member of staff of the session'), session);
  }

  /** Ends the session of the token, or all of the account. @throws DomainError ACCOUNT_REQUIRED */
  async signOut(actor: StaffActor, isEverywhere: boolean): Promise<void> {
    const { tenantId, sessionId, staffId } = actor;
    if (sessionId === undefined) throw staffRefusal('ACCOUNT_REQUIRED');
    const ended = await this.its.transactions.runForCaller(tenantId, async (em) => {
      const meant = isEverywhere
        ? ({ tenantId, kind: 'STAFF', subjectId: staffId } as const)
        : { tenantId, sessionId };
      if (isEverywhere) await lockStaff(em, staffId);
      return this.its.sessions.end(em, meant, 'SIGNED_OUT');
    });
    sessionsEnded(this.its, tenantId, [sessionId, ...ended]);
  }

  /** Counts an attempt before it is judged. @throws DomainError TOO_MANY_ATTEMPTS */
  async admitted(attempt: Omit<Guess, 'id'>): Promise<Guess> {
    const guess = { ...attempt, id: this.its.ids.next() };
    const waitMs = await this.its.guesses.admit(guess);
    if (waitMs > 0) throw tooManyAttempts(waitMs);
    return guess;
  }

  async succeeded(guess: Guess): Promise<void> {
    await this.its.guesses.succeeded(guess);
  }

  private refused(staff: Staff | null): DomainError<StaffRefusal> {
    if (staff !== null) this.its.refusedSignIns.note(staff);
    return staffRefusal('SIGN_IN_REFUSED');
  }

  private async openInvited({ tenantId, id }: Staff, ip: string | null) {
    return this.its.transactions.runForCaller(tenantId, async (em) => {
      const row = await lockStaff(em, id);
      const accepted = { status: 'ACTIVE', invitationDigest: null, invitationExpiresAt: null } as const;
      const invitedUntilMs = row?.invitationExpiresAt?.getTime() ?? Infinity;
      if (row?.status === 'INVITED' && invitedUntilMs <= this.its.clock.nowMs()) return null;
      if (row?.status === 'INVITED')
        await em.nativeUpdate(Staff, { id }, { ...accepted, version: nextVersion() });
      return this.openLocked(em, id, { ip });
    });
  }

  /** The account, and whether this is its password. The hash is computed in any case. */
  private async tried(
    tenantId: string,
    email: string,
    password: string,
  ): Promise<{ readonly staff: Staff | null; readonly isProven: boolean }> {
    const typed = typedPassword.safeParse(password);
    const staff = await this.find(tenantId, { email });
    const hash = staff?.status === 'ACTIVE' ? (staff.passwordHash ?? null) : null;
    const isRight = await this.its.hasher.verify(hash, typed.data ?? '');
    const isTenantActive = (await this.its.access.refusalOf({ tenantId })) === null;
    return { staff, isProven: isRight && typed.success && isTenantActive };
  }

  /** The session opened by an earlier run with an unknown COMMIT. */
  private async openedBefore(em: Em, id: Id, token: RefreshToken): Promise<Opened | null> {
    const session = await this.its.sessions.opened(em, token);
    const staff = session === null ? null : await lockStaff(em, id);
    return session === null || staff === null ? null : { session, staff };
  }

  private async open(em: Em, proven: Staff, { code, token, ip }: Typed): Promise<Opened> {
    const row = await lockStaff(em, proven.id);
    if (row?.status !== 'ACTIVE' || row.passwordHash !== proven.passwordHash) return 'SIGN_IN_REFUSED';
    const sealed = row.totpSecret ?? null;
    if (sealed === null) return (await this.openLocked(em, row.id, { token, ip })) ?? 'SIGN_IN_REFUSED';
    if (code === null || code === '') return 'TOTP_REQUIRED';
    const taken = this.its.secondFactor.taken(row, code, this.its.clock.nowMs());
    if (taken === null) return 'SIGN_IN_REFUSED';
    const resealed = this.its.secondFactor.resealed(sealed, row.id);
    const columns = { ...taken, ...(resealed === null ? {} : { totpSecret: resealed }) };
    return (await this.openLocked(em, row.id, { token, ip }, columns)) ?? 'SIGN_IN_REFUSED';
  }

  private async openLocked(
    em: Em,
    id: Id,
    { token, ip }: { readonly token?: RefreshToken; readonly ip: string | null },
    columns: Partial<Pick<Staff, 'totpStep' | 'totpSecret' | 'recoveryDigests'>> = {},
  ) {
    const row = await lockStaff(em, id);
    if (row?.status !== 'ACTIVE') return null;
    const signedInAt = new Date(this.its.clock.nowMs());
    await em.nativeUpdate(Staff, { id }, { ...columns, signedInAt });
    const { tenantId } = row;
    const subject = { tenantId, kind: 'STAFF', subjectId: id, ip } as const;
    const session = await this.its.sessions.open(em, subject, token);
    identifyOperation(recordedAs(row, session.sessionId));
    return { session, staff: Object.assign(row, columns, { signedInAt }) };
  }

  private async find(
    tenantId: string,
    where: { readonly id: Id } | { readonly email: string },
  ): Promise<Staff | null> {
    return tenantEm(this.its.orm, tenantId).findOne(Staff, where, { disableIdentityMap: true });
  }

  /** An access token lives for a quarter of an hour, and never longer than its session. */
  private signed(staff: Staff, { sessionId, refreshToken, refreshExpiresAt }: OpenedSession): StaffSession {
    const nowMs = this.its.clock.nowMs();
    const leftS = Math.max(1, Math.floor((refreshExpiresAt.getTime() - nowMs) / 1000));
    const ttlS = Math.min(TOKEN_TTL_MAX_S.BY_PROGRAM, leftS);
    const { tenantId, id: staffId, role } = staff;
    const accessToken = this.its.tokens.sign({ kind: 'STAFF', tenantId, staffId, role, sessionId }, ttlS);
    const expiresAt = new Date(nowMs + ttlS * 1000);
    return { accessToken, expiresAt, refreshToken, refreshExpiresAt, staff };
  }
}
