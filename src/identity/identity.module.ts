import type { Config } from '../config.js';
import type { TenantCopies } from '../tenancy/tenant-change.service.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { AccessService } from './access.service.js';
import type { IdentityPorts } from './identity-ports.js';
import { TokenService } from './token.service.js';
import { ExternalUserIds } from './users/external-user-ids.js';
import { UserChangeService } from './users/user-change.service.js';
import { User } from './users/user.entity.js';
import { UserResolver } from './users/user.resolver.js';
import { UserService } from './users/user.service.js';
import { ViewerResolver } from './users/viewer.resolver.js';

export { externalUserIdOf } from './users/external-user-id.resolver.js';
import type { PlatformServices } from '../platform/platform-services.js';
export type { ExternalUserIds } from './users/external-user-ids.js';
export type { IdentityPorts } from './identity-ports.js';

interface Needs extends Pick<PlatformServices, 'orm' | 'readOrm' | 'clock' | 'ids' | 'transactions'> {
  readonly config: Config;
  readonly jwtSecret: string;
  readonly tenants: TenantService;
  readonly tenantCopies: Partial<TenantCopies>[];
}

/** Who calls, and whether they may. */
export const identity = {
  name: 'identity',
  entities: [User],
  resolvers: [UserResolver, ViewerResolver],
  compose: (its: Needs) => {
    const { config, orm, readOrm, clock, tenants } = its;
    // The present secret signs; the one before it verifies until its tokens have expired.
    const { JWT_SECRET_PREVIOUS: previous } = config;
    const tokens = new TokenService(
      previous === undefined ? [its.jwtSecret] : [its.jwtSecret, previous],
      clock,
    );
    const identityPorts = {} as IdentityPorts;
    const access = new AccessService(orm, config.STORE_TIMEOUT_MS, identityPorts);
    its.tenantCopies.push({ changed: (tenantId) => access.changed({ tenantId }) });
    const users = new UserService(orm, its.ids, clock, tokens, readOrm);
    const userChanges = new UserChangeService(its.transactions, access, identityPorts);
    const externalUserIds = new ExternalUserIds(orm);
    return {
      services: { tokens, access, users, userChanges, externalUserIds, identityPorts },
      resolvers: [new UserResolver(users, userChanges), new ViewerResolver(tenants, users)],
    };
  },
};
