import type { Config } from '../config.js';
import type { TenantCopies } from '../tenancy/tenant-change.service.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { AccessService } from './access.service.js';
import type { UserHolding } from './devices/device-ports.js';
import type { IdentityPorts } from './identity-ports.js';
import { SessionRetention } from './sessions/session-retention.js';
import { SessionListService } from './sessions/session-list.service.js';
import { SessionResolver } from './sessions/session.resolver.js';
import { Session, type SessionKind } from './sessions/session.entity.js';
import { SessionService, type SessionLife } from './sessions/session.service.js';
import { composeStaff, STAFF_RESOLVERS } from './staff/compose-staff.js';
import type { OidcSettings } from './staff/oidc-client.js';
import { Staff } from './staff/staff.entity.js';
import { TokenService } from './token.service.js';
import { ExternalUserIds } from './users/external-user-ids.js';
import { UserChangeService } from './users/user-change.service.js';
import { User } from './users/user.entity.js';
import { UserTag } from './users/user-tag.entity.js';
import type { UserErasure } from './users/user-erasure.js';
import { UserErasureResolver } from './users/user-erasure.resolver.js';
import { UserErasureService } from './users/user-erasure.service.js';
import { UserExportService } from './users/user-export.service.js';
import { UserResolver } from './users/user.resolver.js';
import { UserService } from './users/user.service.js';
import { ViewerResolver } from './users/viewer.resolver.js';

export { externalUserIdOf } from './users/external-user-id.resolver.js';
import type { PlatformServices } from '../platform/platform-services.js';
export type { ExternalUserIds } from './users/external-user-ids.js';
export type { IdentityPorts } from './identity-ports.js';
import { IDENTITY_PERMISSIONS } from './identity.permissions.js';
export type { ErasedTraces, ErasedUser, UserErasure } from './users/user-erasure.js';
export type { UserHolding } from './devices/device-ports.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'redis' | 'clock' | 'ids' | 'transactions' | 'log'
> {
  readonly config: Config;
  readonly jwtSecret: string;
  readonly tenants: TenantService;
  readonly tenantCopies: Partial<TenantCopies>[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Devices in use stay signed in. */
const DEVICE_SESSION_MAX_MS = 3650 * DAY_MS;

function sessionLives(config: Config): Record<SessionKind, SessionLife> {
  return {
    STAFF: {
      idleMs: config.STAFF_SESSION_IDLE_HOURS * HOUR_MS,
      maxMs: config.STAFF_SESSION_MAX_DAYS * DAY_MS,
    },
    DEVICE: { idleMs: config.DEVICE_SESSION_IDLE_DAYS * DAY_MS, maxMs: DEVICE_SESSION_MAX_MS },
  };
}

function oidcSettings(config: Config): OidcSettings | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_REDIRECT_URI: redirectUri } = config;
  if (issuer === undefined || clientId === undefined || redirectUri === undefined) return null;
  const mayBeInsecure = config.NODE_ENV !== 'production';
  return { issuer, clientId, clientSecret: config.OIDC_CLIENT_SECRET, redirectUri, mayBeInsecure };
}

/** Callers, and whether they have access. */
export const identity = {
  name: 'identity',
  entities: [User, UserTag, Session, Staff],
  resolvers: [UserResolver, UserErasureResolver, ViewerResolver, SessionResolver, ...STAFF_RESOLVERS],
  permissions: IDENTITY_PERMISSIONS,
  compose: (its: Needs) => {
    const { config, orm, readOrm, clock, tenants } = its;
    // The present secret signs; the one before it verifies until its tokens have expired.
    const { JWT_SECRET_PREVIOUS: previous } = config;
    const secrets: [string, ...string[]] =
      previous === undefined ? [its.jwtSecret] : [its.jwtSecret, previous];
    const tokens = new TokenService(secrets, clock);
    const identityPorts = {} as IdentityPorts;
    const access = new AccessService(orm, config.STORE_TIMEOUT_MS, identityPorts, clock);
    its.tenantCopies.push({ changed: (tenantId) => access.changed({ tenantId }) });
    const sessions = new SessionService({ ...its, access, lives: sessionLives(config) });
    const sessionList = new SessionListService({ ...its, sessions, access });
    const guessesFree = {
      account: config.SIGN_IN_ACCOUNT_FAILURES,
      address: config.SIGN_IN_ADDRESS_FAILURES,
    };
    const staff = composeStaff({
      ...its,
      tokens,
      access,
      sessions,
      secrets,
      guessesFree,
      oidcSettings: oidcSettings(config),
    });
    const users = new UserService(orm, its.ids, clock, tokens, its.transactions, readOrm);
    const userChanges = new UserChangeService(its.transactions, access, identityPorts, clock);
    const externalUserIds = new ExternalUserIds(orm);
    /** Features whose goods users own put themselves in. */
    const userHoldings: UserHolding[] = [];
    /** Features that keep personal data of users put themselves in. */
    const userErasures: UserErasure[] = [externalUserIds];
    const erasureParts = { access, ports: identityPorts, holdings: userHoldings, erasures: userErasures };
    const userErasure = new UserErasureService({ ...its, ...erasureParts });
    return {
      services: {
        tokens,
        access,
        sessions,
        sessionList,
        users,
        userChanges,
        externalUserIds,
        identityPorts,
        userHoldings,
        userErasures,
        userErasure,
        userExport: new UserExportService(readOrm, its.transactions),
        ...staff.services,
      },
      resolvers: [
        new UserResolver(users, userChanges),
        new UserErasureResolver(userErasure),
        new ViewerResolver(tenants, users, staff.services.staff),
        new SessionResolver(sessionList),
        ...staff.resolvers,
      ],
      jobs: [new SessionRetention(its.transactions, clock).job],
    };
  },
};
