import { z } from 'zod';
import { findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { insertNew } from '../../platform/database/insert-new.js';
import { nextVersion } from '../../platform/database/change-row.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { isId } from '../../platform/ids.js';
import { parseInput } from '../../platform/input.js';
import { identifyOperation } from '../../platform/recording/current-operation.js';
import { secretDigest } from '../sessions/refresh-token.js';
import { newInvitation, parseInvitation, type Invitation } from './invitation.js';
import { assertOwnerRemains } from './last-owner.js';
import { endSessions, lockStaff, recordedAs, sessionsEnded, type StaffParts } from './staff-parts.js';
import { Staff, type StaffStatus } from './staff.entity.js';
import { staffRefusal, tooManyAttempts, type INVITE_STAFF_REFUSALS } from './staff.errors.js';
import { emailText, inviteInput, newPassword } from './staff-input.js';
import type { StaffRole } from '../../graphql/actor.js';

export interface StaffFilter {
  readonly status?: StaffStatus | null;
  readonly role?: StaffRole | null;
  readonly email?: string | null;
}

/** An account that waits for its password. */
export interface InvitedStaff {
  readonly staff: Staff;
  /** Shown once; a digest of it is stored. */
  readonly invitationToken: string;
  readonly expiresAt: Date;
}

const passwordInput = z.object({ password: newPassword });
/** The fields that a reset of an account clears. */
const WITHOUT_CREDENTIALS = {
  status: 'INVITED',
  passwordHash: null,
  totpSecret: null,
  totpPending: null,
  recoveryDigests: null,
} as const;

/** Accounts of a tenant's staff, and how they get their passwords: by an invitation that works once. */
export class StaffService {
  constructor(private readonly its: StaffParts) {}

  async find(tenantId: string, staffId: string): Promise<Staff | null> {
    if (!isId(staffId)) return null;
    return tenantEm(this.its.orm, tenantId).findOne(Staff, { id: staffId }, { disableIdentityMap: true });
  }

  /** By the address that a person types. */
  async findByEmail(tenantId: string, email: string): Promise<Staff | null> {
    const parsed = emailText.safeParse(email);
    if (!parsed.success) return null;
    const where = { email: parsed.data };
    return tenantEm(this.its.orm, tenantId).findOne(Staff, where, { disableIdentityMap: true });
  }

  /** Newest first, with the exact total. */
  async page(tenantId: string, { status, role, email }: StaffFilter, page: PageRange): Promise<Page<Staff>> {
    const where = {
      ...(status && { status }),
      ...(role && { role }),
      ...(email && { email: email.trim().toLowerCase() }),
    };
    return findPage(tenantEm(this.its.readOrm, tenantId), Staff, where, page);
  }

  /**
   * Makes an account without a password, and an invitation for its owner. An account that still waits gets a new
   * invitation, and the one before works no longer.
   * @throws DomainError one of {@link INVITE_STAFF_REFUSALS}
   */
  async invite(tenantId: string, input: unknown): Promise<InvitedStaff> {
    const wanted = parseInput<typeof inviteInput, (typeof INVITE_STAFF_REFUSALS)[number]>(
      inviteInput,
      input,
      { input: 'INPUT_NOT_ALLOWED', email: 'EMAIL_NOT_ALLOWED', name: 'NAME_NOT_ALLOWED' },
    );
    const { email, name, role } = wanted;
    return this.its.transactions.runForCaller(tenantId, async (em) => {
      const known = await em.findOne(Staff, { email }, { fields: ['id'], disableIdentityMap: true });
      const row = known === null ? null : await lockStaff(em, known.id);
      if (row !== null && row.status !== 'INVITED') throw staffRefusal('STAFF_EXISTS');
      const nowMs = this.its.clock.nowMs();
      const id = row?.id ?? this.its.ids.next();
      const invitation = newInvitation(tenantId, id, nowMs);
      const columns = { name, role, ...invitation.columns };
      if (row !== null) {
        await em.nativeUpdate(Staff, { id }, { ...columns, version: nextVersion() });
        return invited(Object.assign(row, columns, { version: row.version + 1 }), invitation);
      }
      const created = { tenantId, id, email, ...columns, ...WITHOUT_CREDENTIALS };
      const made = { ...created, totpStep: 0, signedInAt: null, version: 1, createdAt: new Date(nowMs) };
      // Of two invitations at once one meets the other's row, and runs again as a renewal.
      const staff = await insertNew(em, Staff, made, (cause) => cause as Error);
      return invited(staff, invitation);
    });
  }

  /**
   * For a lost password or second factor: both are removed, all sessions end, and an invitation sets the next password.
   * @throws DomainError one of `RESET_STAFF_REFUSALS`
   */
  async reset(tenantId: string, staffId: string): Promise<InvitedStaff> {
    if (!isId(staffId)) throw staffRefusal('STAFF_NOT_FOUND');
    const done = await this.its.transactions.runForCaller(tenantId, async (em) => {
      await assertOwnerRemains(em, tenantId, staffId);
      const row = await lockStaff(em, staffId);
      if (row === null) throw staffRefusal('STAFF_NOT_FOUND');
      if (row.status === 'DISABLED') throw staffRefusal('STAFF_DISABLED');
      const invitation = newInvitation(tenantId, row.id, this.its.clock.nowMs());
      const columns = { ...WITHOUT_CREDENTIALS, ...invitation.columns };
      await em.nativeUpdate(Staff, { id: row.id }, { ...columns, version: nextVersion() });
      const reason = 'CREDENTIALS_CHANGED' as const;
      const ended = await endSessions(em, this.its, { tenantId, staffId: row.id, reason });
      return { ...invited(Object.assign(row, columns, { version: row.version + 1 }), invitation), ended };
    });
    const { ended, ...result } = done;
    sessionsEnded(this.its, tenantId, ended);
    return result;
  }

  /**
   * Sets the password of an invited account. Of any number of calls with one invitation a single one succeeds.
   * @throws DomainError one of `ACCEPT_INVITATION_REFUSALS`
   */
  async accept(invitationToken: string, password: string, ip: string): Promise<Staff> {
    parseInput(passwordInput, { password }, { input: 'PASSWORD_NOT_ALLOWED' });
    const invitation = parseInvitation(invitationToken);
    if (invitation === null) throw staffRefusal('INVITATION_UNKNOWN');
    const { tenantId, staffId } = invitation;
    const account = `invitation:${staffId}`;
    const guess = { id: this.its.ids.next(), tenantId, account, ip };
    const waitMs = await this.its.guesses.admit(guess);
    if (waitMs > 0) throw tooManyAttempts(waitMs);
    // Hashing costs: only for an invitation that can be accepted.
    await this.assertAcceptable(tenantEm(this.its.orm, tenantId), invitation);
    const passwordHash = await this.its.guesses.judged(guess, this.its.hasher.hash(password));
    const accepted = await this.its.transactions.runForCaller(tenantId, async (em) => {
      const locked = await lockStaff(em, staffId);
      // An earlier run has committed: its salt is in no other hash.
      if (locked?.passwordHash === passwordHash) return locked;
      const row = await this.assertAcceptable(em, invitation);
      identifyOperation(recordedAs(row, null));
      const columns = {
        status: 'ACTIVE',
        passwordHash,
        invitationDigest: null,
        invitationExpiresAt: null,
      } as const;
      await em.nativeUpdate(Staff, { id: staffId }, { ...columns, version: nextVersion() });
      return Object.assign(row, columns, { version: row.version + 1 });
    });
    await this.its.guesses.succeeded(guess);
    return accepted;
  }

  private async assertAcceptable(em: Em, { staffId, secret }: Invitation): Promise<Staff> {
    const where = { id: staffId, invitationDigest: secretDigest(secret), status: 'INVITED' } as const;
    const row = await em.findOne(Staff, where, { disableIdentityMap: true });
    if (row === null) throw staffRefusal('INVITATION_UNKNOWN');
    const endMs = row.invitationExpiresAt?.getTime() ?? 0;
    if (endMs <= this.its.clock.nowMs()) throw staffRefusal('INVITATION_EXPIRED');
    return row;
  }
}

function invited(staff: Staff, { token, columns }: ReturnType<typeof newInvitation>): InvitedStaff {
  return { staff, invitationToken: token, expiresAt: columns.invitationExpiresAt };
}
