import { Secret, TOTP } from 'otpauth';
import type { Id } from '../../platform/ids.js';
import { withoutRecoveryCode } from './recovery-codes.js';
import type { SecretBox } from './secret-box.js';
import type { Staff } from './staff.entity.js';

const PERIOD_S = 30;
const DIGITS = 6;
/** RFC 4226 asks for 160 bits. */
const SECRET_BYTES = 20;
/** Steps before and after the present one that are accepted, for clocks that differ. */
const WINDOW = 1;
const ISSUER = 'Redeemkit';

/** A member of staff as the second factor needs it. */
interface Holder {
  readonly id: Id;
  readonly email: string;
  readonly tenantId: string;
}

/** Time-based one-time codes by RFC 6238, with the parameters that every authenticator app knows. */
export class SecondFactor {
  constructor(private readonly box: SecretBox) {}

  /** A new secret, what of it is stored, and the URL that apps read from a QR image. */
  begin({ id, email, tenantId }: Holder) {
    const secret = new Secret({ size: SECRET_BYTES });
    const url = totpOf(secret, `${tenantId}:${email}`).toString();
    return { secret: secret.base32, url, sealed: this.box.seal(secret.base32, id) };
  }

  /**
   * The time step of a code, or null for one that is wrong or not newer than the last one taken: RFC 6238 takes a code
   * once. The caller holds the row's lock and stores the step.
   */
  stepOf(sealed: string, { id, lastStep, code, nowMs }: TypedCode): number | null {
    const opened = this.box.open(sealed, id);
    if (opened === null || !/^[0-9]{6}$/.test(code)) return null;
    const totp = totpOf(Secret.fromBase32(opened.plain), '');
    const delta = totp.validate({ token: code, timestamp: nowMs, window: WINDOW });
    if (delta === null) return null;
    const step = Math.floor(nowMs / 1000 / PERIOD_S) + delta;
    return step > lastStep ? step : null;
  }

  /**
   * Takes a code of the app, or a recovery code.
   * @returns what it changes in the account's row, whose lock the caller holds; null for a code that is wrong or was used
   */
  taken(
    { id, totpSecret, totpStep: lastStep, recoveryDigests }: Staff,
    code: string,
    nowMs: number,
  ): Pick<Staff, 'totpStep'> | Pick<Staff, 'recoveryDigests'> | null {
    if (totpSecret === null || totpSecret === undefined) return null;
    const totpStep = this.stepOf(totpSecret, { id, lastStep, code, nowMs });
    if (totpStep !== null) return { totpStep };
    const left = withoutRecoveryCode(recoveryDigests ?? [], code);
    return left === null ? null : { recoveryDigests: left };
  }

  /** The same secret under the present key; null where it is so already. */
  resealed(sealed: string, id: Id): string | null {
    const opened = this.box.open(sealed, id);
    return opened === null || opened.isCurrent ? null : this.box.seal(opened.plain, id);
  }
}

interface TypedCode {
  /** Of the account. */
  readonly id: Id;
  readonly lastStep: number;
  readonly code: string;
  readonly nowMs: number;
}

function totpOf(secret: Secret, label: string): TOTP {
  return new TOTP({ issuer: ISSUER, label, algorithm: 'SHA1', digits: DIGITS, period: PERIOD_S, secret });
}
