import { z } from 'zod';
import type { StaffActor } from '../../graphql/actor.js';
import { nextVersion } from '../../platform/database/change-row.js';
import type { Em } from '../../platform/database/orm.js';
import { parseInput } from '../../platform/input.js';
import type { Guess } from '../guess-limits.redis.js';
import { endSessions, lockStaff, sessionsEnded, type StaffParts } from './staff-parts.js';
import type { StaffSignInService } from './staff-sign-in.service.js';
import type { StaffService } from './staff.service.js';
import { newRecoveryCodes, type RecoveryCodes } from './recovery-codes.js';
import { Staff } from './staff.entity.js';
import { staffRefusal, type StaffRefusal } from './staff.errors.js';
import { newPassword, typedPassword } from './staff-input.js';

/** A member of staff who changes the own account, and the origin of the call. */
export interface OwnCall {
  readonly actor: StaffActor;
  readonly ip: string;
}

/** What an authenticator app needs. */
export interface Enrolment {
  readonly secret: string;
  readonly otpauthUrl: string;
}

interface OwnChange<Ended> {
  /** Thrown if the account changed after its proof. */
  readonly refusal: StaffRefusal;
  /** Whether an earlier run with an unknown COMMIT has made the change. */
  readonly isDone: (now: Staff) => boolean;
  readonly decide: (em: Em, row: Staff) => Promise<{ columns: Partial<Staff>; ended: Ended }>;
}

/** An account, and its new recovery codes. */
type WithRecoveryCodes = Pick<RecoveryCodes, 'recoveryCodes'> & { readonly staff: Staff };

interface OwnServices {
  readonly staff: StaffService;
  readonly signIns: StaffSignInService;
}

const passwordInput = z.object({ newPassword });

/** One's own password and second factor. Each change asks for a proof again, and counts wrong ones as sign-ins do. */
export class OwnAccountService {
  constructor(
    private readonly its: StaffParts,
    private readonly services: OwnServices,
  ) {}

  /** Ends all other sessions of the account. @throws DomainError one of `CHANGE_STAFF_PASSWORD_REFUSALS` */
  async changePassword(call: OwnCall, current: string, wanted: string): Promise<Staff> {
    const account = await this.accountOf(call);
    parseInput(passwordInput, { newPassword: wanted }, { input: 'PASSWORD_NOT_ALLOWED' });
    await this.prove(call, account, current);
    const passwordHash = await this.its.hasher.hash(wanted);
    const { tenantId, sessionId: exceptId } = call.actor;
    const { row, ended } = await this.changed(account, {
      refusal: 'PASSWORD_WRONG',
      isDone: (now) => now.passwordHash === passwordHash,
      decide: async (em) => {
        const reason = 'CREDENTIALS_CHANGED' as const;
        const others = { tenantId, staffId: account.id, reason, exceptId };
        return { columns: { passwordHash }, ended: await endSessions(em, this.its, others) };
      },
    });
    sessionsEnded(this.its, tenantId, ended);
    return row;
  }

  /** Makes a secret, which is asked for once it is confirmed. @throws DomainError one of `ENROL_SECOND_FACTOR_REFUSALS` */
  async enrol(call: OwnCall, password: string): Promise<Enrolment> {
    const account = await this.accountOf(call);
    await this.prove(call, account, password);
    const { secret, url, sealed } = this.its.secondFactor.begin(account);
    await this.changed(account, {
      refusal: 'PASSWORD_WRONG',
      isDone: ({ totpPending }) => totpPending === sealed,
      decide: async (_em, row) => {
        if (hasSecondFactor(row)) throw staffRefusal('SECOND_FACTOR_EXISTS');
        return { columns: { totpPending: sealed }, ended: [] };
      },
    });
    return { secret, otpauthUrl: url };
  }

  /** From now on a sign-in asks for a code. @throws DomainError one of `CONFIRM_SECOND_FACTOR_REFUSALS` */
  async confirm(call: OwnCall, code: string): Promise<WithRecoveryCodes> {
    const account = await this.accountOf(call);
    const guess = await this.services.signIns.admitted(guessOf(call, account));
    const { recoveryCodes, recoveryDigests } = newRecoveryCodes();
    const { row: staff } = await this.changed(account, {
      refusal: 'ENROLMENT_REQUIRED',
      isDone: (now) => hasDigests(now, recoveryDigests),
      decide: async (_em, { totpPending, totpStep }) => {
        if (totpPending === null || totpPending === undefined) throw staffRefusal('ENROLMENT_REQUIRED');
        const step = this.stepOf(account, totpPending, totpStep, code);
        const columns = { totpSecret: totpPending, totpPending: null, totpStep: step, recoveryDigests };
        return { columns, ended: [] };
      },
    });
    await this.services.signIns.succeeded(guess);
    return { staff, recoveryCodes };
  }

  /** Those of before are good no longer. @throws DomainError one of `REGENERATE_RECOVERY_CODES_REFUSALS` */
  async regenerateRecoveryCodes(call: OwnCall, password: string, code: string): Promise<WithRecoveryCodes> {
    const { recoveryCodes, recoveryDigests } = newRecoveryCodes();
    const staff = await this.changedBySecondFactor(
      call,
      { password, code },
      {
        isDone: (now) => hasDigests(now, recoveryDigests),
        columns: { recoveryDigests },
      },
    );
    return { staff, recoveryCodes };
  }

  /** @throws DomainError one of `REMOVE_SECOND_FACTOR_REFUSALS` */
  async remove(call: OwnCall, password: string, code: string): Promise<Staff> {
    return this.changedBySecondFactor(
      call,
      { password, code },
      {
        isDone: (now) => !hasSecondFactor(now),
        columns: { totpSecret: null, totpPending: null, recoveryDigests: null },
      },
    );
  }

  /** @throws DomainError ACCOUNT_REQUIRED for a token without a session: its name is not the id of an account */
  private async accountOf({ actor: { tenantId, staffId, sessionId } }: OwnCall): Promise<Staff> {
    const account = sessionId === undefined ? null : await this.services.staff.find(tenantId, staffId);
    if (account === null) throw staffRefusal('ACCOUNT_REQUIRED');
    return account;
  }

  private async prove(call: OwnCall, account: Staff, password: string): Promise<void> {
    const guess = await this.services.signIns.admitted(guessOf(call, account));
    await this.assertPassword(guess, account, password);
    // An account with a second factor gets its attempts back by a sign-in: else a stolen session could try codes.
    if (!hasSecondFactor(account)) await this.services.signIns.succeeded(guess);
  }

  private async assertPassword(guess: Guess, { passwordHash }: Staff, password: string): Promise<void> {
    const typed = typedPassword.safeParse(password);
    const verified = this.its.hasher.verify(passwordHash ?? null, typed.data ?? '');
    const isRight = await this.its.guesses.judged(guess, verified);
    if (!isRight || !typed.success) throw staffRefusal('PASSWORD_WRONG');
  }

  /** A change that takes the password, and a code of the app or a recovery code. */
  private async changedBySecondFactor(
    call: OwnCall,
    { password, code }: { readonly password: string; readonly code: string },
    { isDone, columns }: { readonly isDone: (now: Staff) => boolean; readonly columns: Partial<Staff> },
  ): Promise<Staff> {
    const account = await this.accountOf(call);
    const guess = await this.services.signIns.admitted(guessOf(call, account));
    await this.assertPassword(guess, account, password);
    const { row } = await this.changed(account, {
      refusal: 'PASSWORD_WRONG',
      isDone: (now) => hasSecondFactor(account) && isDone(now),
      decide: async (_em, locked) => {
        if (!hasSecondFactor(locked)) throw staffRefusal('SECOND_FACTOR_MISSING');
        const taken = this.its.secondFactor.taken(locked, code, this.its.clock.nowMs());
        if (taken === null) throw staffRefusal('TOTP_CODE_WRONG');
        return { columns: { ...taken, ...columns }, ended: [] };
      },
    });
    await this.services.signIns.succeeded(guess);
    return row;
  }

  private stepOf({ id }: Staff, sealed: string, lastStep: number, code: string): number {
    const nowMs = this.its.clock.nowMs();
    const step = this.its.secondFactor.stepOf(sealed, { id, lastStep, code, nowMs });
    if (step === null) throw staffRefusal('TOTP_CODE_WRONG');
    return step;
  }

  /** Under the row's lock; refused where the account is another one than was proven. */
  private async changed<Ended>(
    proven: Staff,
    { refusal, isDone, decide }: OwnChange<Ended>,
  ): Promise<{ row: Staff; ended: Ended | [] }> {
    return this.its.transactions.runForCaller(proven.tenantId, async (em, readsBack) => {
      const row = await lockStaff(em, proven.id);
      if (row?.status !== 'ACTIVE') throw staffRefusal(refusal);
      if (readsBack && isDone(row)) return { row, ended: [] };
      if (row.passwordHash !== proven.passwordHash) throw staffRefusal(refusal);
      const { columns, ended } = await decide(em, row);
      await em.nativeUpdate(Staff, { id: row.id }, { ...columns, version: nextVersion() });
      return { row: Object.assign(row, columns, { version: row.version + 1 }), ended };
    });
  }
}

function hasSecondFactor({ totpSecret }: Staff): boolean {
  return totpSecret !== null && totpSecret !== undefined;
}

function hasDigests({ recoveryDigests }: Staff, [first]: readonly string[]): boolean {
  return first !== undefined && recoveryDigests?.includes(first) === true;
}

/** The same account as of a sign-in: wrong proofs here and there are counted together. */
function guessOf({ actor, ip }: OwnCall, { email }: Staff) {
  return { tenantId: actor.tenantId, account: email, ip };
}
