import { findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { spendable } from './points-lots.js';
import { PointsLedger, PointsLot } from './points.entity.js';

/** Lots that are listed; the balance counts all. */
const LOTS_SHOWN_MAX = 100;

/** What a user can spend at this instant. */
export interface PointsView {
  readonly userId: Id;
  readonly balance: number;
  readonly lots: readonly PointsLot[];
}

/** Points of users, without what has expired and was not swept yet. */
export class PointsReader {
  constructor(private readonly its: Pick<PlatformServices, 'readOrm' | 'clock'>) {}

  async of(tenantId: string, userId: Id): Promise<PointsView> {
    const where = { userId, remaining: { $gt: 0 } };
    const found = await tenantEm(this.its.readOrm, tenantId).find(PointsLot, where, {
      disableIdentityMap: true,
    });
    const lots = spendable(found, this.its.clock.nowMs());
    const balance = lots.reduce((sum, { remaining }) => sum + remaining, 0);
    return { userId, balance, lots: lots.slice(0, LOTS_SHOWN_MAX) };
  }

  /** Newest first. */
  async ledger(tenantId: string, userId: Id, range: PageRange): Promise<Page<PointsLedger>> {
    return findPage(tenantEm(this.its.readOrm, tenantId), PointsLedger, { userId }, range);
  }
}
