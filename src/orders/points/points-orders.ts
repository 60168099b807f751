import { invariant, present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { lotsById, writeLots } from './points-account.js';
import { givenBack } from './points-lots.js';
import { OrderPoints, PointsLedger, type PointsLot } from './points.entity.js';

/** What one order has spent of its user's points. */
export interface SpentPoints {
  readonly orderId: Id;
  readonly userId: Id;
  readonly points: number;
}

/** What these orders have spent; those without points are not among them. */
export async function spentBy(em: Em, orderIds: readonly Id[]): Promise<SpentPoints[]> {
  const where = { orderId: { $in: [...orderIds] }, action: 'SPEND' } as const;
  const entries = await em.find(PointsLedger, where, { disableIdentityMap: true });
  return entries.map(({ orderId, userId, points }) => ({ orderId: orderId ?? '', userId, points: -points }));
}

/** Those of these orders that have given their points back. To be asked under the lock of their accounts. */
export async function givenBackBefore(em: Em, orderIds: readonly Id[]): Promise<Set<Id>> {
  const where = { orderId: { $in: [...orderIds] }, action: 'GIVE_BACK' } as const;
  const entries = await em.find(PointsLedger, where, { fields: ['orderId'], disableIdentityMap: true });
  return new Set(entries.map(({ orderId }) => orderId ?? ''));
}

/** The lots that orders took points from, changed in memory until {@link write}. */
export class LotsOfOrders {
  private constructor(
    private readonly taken: ReadonlyMap<Id, readonly OrderPoints[]>,
    private readonly lots: Map<Id, Pick<PointsLot, 'id' | 'remaining' | 'spent' | 'expiresAt'>>,
  ) {}

  static async read(em: Em, spent: readonly SpentPoints[]): Promise<LotsOfOrders> {
    const where = { orderId: { $in: spent.map(({ orderId }) => orderId) } };
    const taken = await em.find(OrderPoints, where, { disableIdentityMap: true });
    const lots = await lotsById(em, [...new Set(taken.map(({ lotId }) => lotId))]);
    return new LotsOfOrders(
      Map.groupBy(taken, ({ orderId }) => orderId),
      lots,
    );
  }

  /** @returns how many of the points expired at once */
  giveBack(orderId: Id, points: number, nowMs: number): number {
    let [back, expired] = [0, 0];
    for (const part of this.taken.get(orderId) ?? []) {
      const lot = present(this.lots.get(part.lotId), 'A lot that an order took from');
      const { expired: lost, ...next } = givenBack(lot, part.points, nowMs);
      this.lots.set(lot.id, { ...lot, ...next });
      back += part.points;
      expired += lost;
    }
    invariant(back === points, 'The lots of an order gave other points than it spent.');
    return expired;
  }

  async write(em: Em, tenantId: string): Promise<void> {
    await writeLots(em, tenantId, this.lots.values());
  }
}
