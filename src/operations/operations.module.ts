import type { Config } from '../config.js';
import type { ExternalUserIds } from '../identity/identity.module.js';
import { seenProcesses } from '../platform/database/process-presence.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { CodeHistoryResolver } from './code-history.resolver.js';
import { CodeHistoryService, type CodeHistoryParts } from './code-history.service.js';
import { OPERATIONS_PERMISSIONS } from './operations.permissions.js';
import { OverviewResolver } from './overview.resolver.js';
import { OverviewService, type OverviewSources } from './overview.service.js';
import { StoreHealthService } from './store-health.js';

/** Services that both look at. */
type Shared = 'openClaims' | 'redemptionReader' | 'codeReader';

interface Needs
  extends
    Pick<PlatformServices, 'readOrm' | 'redis' | 'clock'>,
    Omit<OverviewSources, 'processes' | 'stores' | Shared>,
    Omit<CodeHistoryParts, Shared>,
    Pick<OverviewSources & CodeHistoryParts, Shared> {
  readonly config: Config;
  readonly externalUserIds: ExternalUserIds;
}

/** What operators look at: the state of a tenant and of the installation. It knows other features by their services only. */
export const operations = {
  name: 'operations',
  resolvers: [OverviewResolver, CodeHistoryResolver],
  permissions: OPERATIONS_PERMISSIONS,
  compose: (its: Needs) => {
    const { readOrm, redis, clock } = its;
    const stores = new StoreHealthService(readOrm, redis);
    const processes: OverviewSources['processes'] = async () => seenProcesses(readOrm);
    const overview = new OverviewService({ ...its, stores, processes }, clock, its.config.STORE_TIMEOUT_MS);
    const codeHistory = new CodeHistoryService(its);
    return {
      services: { overview },
      resolvers: [new OverviewResolver(overview), new CodeHistoryResolver(codeHistory, its.externalUserIds)],
    };
  },
};
