import type { PlatformServices } from '../../platform/platform-services.js';
import type { Job } from '../../platform/scheduling/job.js';
import type { RewardHandler } from '../../rewards/reward-handler.js';
import { ExpirySweep } from '../expiry-sweep.js';
import { expiringPoints } from './points-expiry.js';
import { PointsGrantService } from './points-grant.service.js';
import { PointsReader } from './points-reader.service.js';
import { PointsRewardHandler } from './points-reward.handler.js';
import { OrderPoints, PointsAccount, PointsLedger, PointsLot } from './points.entity.js';
import { PointsResolver } from './points.resolver.js';
import { PointsService } from './points.service.js';

export type PointsParts = Pick<PlatformServices, 'readOrm' | 'ids' | 'clock' | 'transactions' | 'log'>;

const SWEEP_EVERY_MS = 60_000;

export const POINTS_ENTITIES = [PointsAccount, PointsLot, OrderPoints, PointsLedger];
export const POINTS_RESOLVERS = [PointsResolver];

export function composePoints(its: PointsParts) {
  const points = new PointsService(its.ids);
  const pointsGrants = new PointsGrantService(its);
  const pointsReader = new PointsReader(its);
  const pointsExpiry = new ExpirySweep(its, expiringPoints(its.ids));
  const handler: RewardHandler = new PointsRewardHandler(its.ids);
  const sweep: Job = {
    name: 'expire-points',
    everyMs: SWEEP_EVERY_MS,
    where: 'IN_ONE',
    run: async () => pointsExpiry.run(),
  };
  return {
    services: { points, pointsGrants, pointsReader, pointsExpiry },
    resolvers: [new PointsResolver(pointsGrants, pointsReader)],
    jobs: [sweep],
    handler,
  };
}
