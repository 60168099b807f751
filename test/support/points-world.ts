import { PointsAccount, PointsLedger, PointsLot } from '../../src/orders/points/points.entity.js';
import { emOf } from './world.js';
import { within, type Shop } from './coupon-world.js';

export async function grant(shop: Shop, amount: number, terms: object = {}): Promise<string> {
  const { world, tenantId, userId } = shop;
  return (await world.services.pointsGrants.grant(tenantId, { userId, amount, ...terms })).lot.id;
}

export async function spend(shop: Shop, orderId: string, points: number, now = new Date()): Promise<void> {
  const { world, tenantId, userId } = shop;
  return within(shop, async (em) => world.services.points.spend(em, tenantId, userId, orderId, points, now));
}

export async function returnPoints(
  shop: Shop,
  orderId: string,
  cause: 'TIMEOUT' | 'CANCELLED' | 'REFUNDED' = 'TIMEOUT',
  now = new Date(),
): Promise<number> {
  const { world, tenantId } = shop;
  return within(shop, async (em) => world.services.points.giveBack(em, tenantId, orderId, cause, now));
}

/** The user's account, which has to be the sum of the lots and of the ledger. */
export async function balanceOf(shop: Shop) {
  const { world, tenantId, userId } = shop;
  const em = emOf(world, tenantId);
  const lots = await em.find(PointsLot, { userId });
  const entries = await em.find(PointsLedger, { userId });
  const account = await em.findOne(PointsAccount, { userId });
  return {
    account: account?.balance ?? 0,
    lots: lots.reduce((sum, { remaining }) => sum + remaining, 0),
    ledger: entries.reduce((sum, { points }) => sum + points, 0),
  };
}

export const balanced = (points: number) => ({ account: points, lots: points, ledger: points });

/** The ledger, oldest first, in words such as `SPEND -10`. */
export async function pointsLedgerOf({ world, tenantId, userId }: Shop): Promise<string[]> {
  const em = emOf(world, tenantId);
  const entries = await em.find(PointsLedger, { userId }, { orderBy: { id: 'asc' } });
  return entries.map(({ action, points }) => `${action} ${points}`);
}

export async function lotState({ world, tenantId }: Shop, id: string) {
  const { remaining, spent } = await emOf(world, tenantId).findOneOrFail(PointsLot, { id });
  return { remaining, spent };
}
