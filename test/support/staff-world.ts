import { Secret, TOTP } from 'otpauth';
import type { StaffRole } from '../../src/graphql/actor.js';
import { DomainError } from '../../src/platform/errors.js';
import { systemClock } from '../../src/platform/clock.js';
import type { World } from './world.js';

export const PASSWORD = 'correct horse battery';

export interface SeededStaff {
  readonly staffId: string;
  readonly email: string;
}

let made = 0;

/** A member of staff with the password {@link PASSWORD}, invited and accepted. */
export async function seedStaff(
  { services }: World,
  tenantId: string,
  role: StaffRole = 'OWNER',
): Promise<SeededStaff> {
  made += 1;
  const email = `member-${made}@example.com`;
  const { staff, invitationToken } = await services.staff.invite(tenantId, { email, name: 'Member', role });
  await services.staff.accept(invitationToken, PASSWORD, '');
  return { staffId: staff.id, email };
}

/** What a call came to: TAKEN, or the code of its refusal. */
export async function refusedBy(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'TAKEN';
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
}

/** How often each outcome came. */
export function counted(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The code that an authenticator app shows, now or some steps of 30 s later. */
export function codeOf(base32: string, stepsLater = 0): string {
  const totp = new TOTP({ secret: Secret.fromBase32(base32) });
  return totp.generate({ timestamp: systemClock.nowMs() + stepsLater * 30_000 });
}
