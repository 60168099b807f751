import type { Logger } from '../../platform/observability/log.js';
import type { Redis } from '../../platform/redis/redis.js';
import { GuessLimits, type GuessesFree } from '../guess-limits.redis.js';
import { OidcClient, type OidcSettings } from './oidc-client.js';
import { OidcSignInService } from './oidc-sign-in.service.js';
import { OwnAccountResolver } from './own-account.resolver.js';
import { OwnAccountService } from './own-account.service.js';
import { PasswordHasher } from './password-hasher.js';
import { RefusedSignIns } from './refused-sign-ins.redis.js';
import { SecondFactor } from './second-factor.js';
import { SecretBox } from './secret-box.js';
import { StaffChangeService } from './staff-change.service.js';
import type { StaffParts } from './staff-parts.js';
import { StaffSessionResolver } from './staff-session.resolver.js';
import { StaffSignInService } from './staff-sign-in.service.js';
import { StaffResolver } from './staff.resolver.js';
import { StaffService } from './staff.service.js';

export const STAFF_RESOLVERS = [StaffResolver, StaffSessionResolver, OwnAccountResolver];

interface Needs extends Omit<StaffParts, 'guesses' | 'hasher' | 'secondFactor' | 'refusedSignIns'> {
  readonly redis: Redis;
  readonly log: Logger;
  /** Of tokens, the present one first; stored secrets are encrypted under keys that are derived from them. */
  readonly secrets: readonly string[];
  readonly guessesFree: GuessesFree;
  /** Null where no provider is configured. */
  readonly oidcSettings: OidcSettings | null;
}

/** Accounts of staff, their sign-in, and what they change about themselves. */
export function composeStaff(its: Needs) {
  const parts: StaffParts = {
    ...its,
    guesses: new GuessLimits(its.redis, its.guessesFree),
    hasher: new PasswordHasher(),
    secondFactor: new SecondFactor(new SecretBox(its.secrets, 'staff second factor')),
    refusedSignIns: new RefusedSignIns(its),
  };
  const staff = new StaffService(parts);
  const staffChanges = new StaffChangeService(parts);
  const staffSignIns = new StaffSignInService(parts);
  const ownAccounts = new OwnAccountService(parts, { staff, signIns: staffSignIns });
  const staffOidc = new OidcSignInService({
    client: its.oidcSettings === null ? null : new OidcClient(its.oidcSettings),
    box: new SecretBox(its.secrets, 'staff oidc flow'),
    clock: its.clock,
    staff,
    signIns: staffSignIns,
  });
  return {
    services: { staff, staffChanges, staffSignIns, staffOidc, ownAccounts },
    resolvers: [
      new StaffResolver(staff, staffChanges),
      new StaffSessionResolver(staffSignIns, staff, staffOidc),
      new OwnAccountResolver(ownAccounts),
    ],
  };
}
