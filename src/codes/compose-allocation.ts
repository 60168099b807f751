import type { PlatformServices } from '../platform/platform-services.js';
import type { PeriodicJob } from '../platform/scheduling/job.js';
import { ChosenCodesService, type ChosenCollaborators } from './chosen-codes.service.js';
import { CodeAllocationResolver } from './code-allocation.resolver.js';
import { CodeAllocationService } from './code-allocation.service.js';
import { CodePoolService, type PoolCollaborators } from './code-pool.service.js';

const POOL_REFILL_EVERY_MS = 2000;

interface Needs extends PlatformServices, ChosenCollaborators, Pick<PoolCollaborators, 'generation'> {}

/** Codes that staff choose, and codes that are handed out of a stock. */
export function composeAllocation(its: Needs) {
  const chosenCodes = new ChosenCodesService(its);
  const pools = new CodePoolService(its);
  const allocations = new CodeAllocationService(its);
  /** In one worker; should two be at it, each pool is filled under its lock. */
  const refill: PeriodicJob = {
    name: 'refill-code-pools',
    everyMs: POOL_REFILL_EVERY_MS,
    where: 'IN_ONE',
    run: async () => pools.refillAll(),
  };
  return {
    services: { chosenCodes, pools, allocations },
    resolver: new CodeAllocationResolver(chosenCodes, pools, allocations),
    jobs: [refill],
  };
}
