import { invariant, present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type { GiveBackCause } from '../give-back.js';
import { changeLot, lockAccount, lotsById } from './points-account.js';
import { givenBack, spendFrom, type LotPoints } from './points-lots.js';
import { OrderPoints, PointsLedger, PointsLot } from './points.entity.js';
import type { PointsRefusal } from './points.errors.js';

type Entry = Pick<PointsLedger, 'tenantId' | 'userId' | 'action' | 'points' | 'orderId' | 'cause'>;

/** Points on orders. Works in the caller's transaction, which holds the lock of the order's row. */
export class PointsService {
  constructor(private readonly ids: IdGenerator) {}

  /**
   * Spends points on an order, once; those that expire first go first.
   * @param points a whole number, at least 1
   * @throws DomainError INSUFFICIENT_POINTS
   */
  async spend(em: Em, tenantId: string, userId: Id, orderId: Id, points: number, now: Date): Promise<void> {
    invariant(Number.isSafeInteger(points) && points >= 1, `${points} is no number of points.`);
    const account = await lockAccount(em, userId);
    const filled = { userId, remaining: { $gt: 0 } };
    const lots = account === null ? [] : await em.find(PointsLot, filled, { disableIdentityMap: true });
    const taken = spendFrom(lots, points, now.getTime());
    if (account === null || taken === null) throw insufficient(points);
    const byId = new Map(lots.map((lot) => [lot.id, lot]));
    for (const part of taken) {
      const { id, remaining, spent } = present(byId.get(part.lotId), 'A lot that was spent');
      await changeLot(em, id, { remaining: remaining - part.points, spent: spent + part.points });
      em.create(OrderPoints, { tenantId, orderId, ...part });
    }
    account.balance -= points;
    account.updatedAt = now;
    this.note(em, { tenantId, userId, action: 'SPEND', points: -points, orderId, cause: 'ORDER' }, now);
    await em.flush();
  }

  /**
   * When the order is closed or wholly refunded: all points go back to the lots that they came from, once per order.
   * Those of a lot that has expired meanwhile expire at once, and the ledger says so.
   * @returns the points that went back, expired ones included; 0 where there are none, or they have gone back before
   */
  async giveBack(em: Em, tenantId: string, orderId: Id, cause: GiveBackCause, now: Date): Promise<number> {
    const ofOrder = { orderId, action: 'SPEND' } as const;
    const spent = await em.findOne(PointsLedger, ofOrder, { disableIdentityMap: true });
    if (spent === null) return 0;
    const { userId } = spent;
    const account = present(await lockAccount(em, userId), 'The account that was spent from');
    // Under the lock: who held it may have given them back.
    if ((await em.count(PointsLedger, { orderId, userId, action: 'GIVE_BACK' })) > 0) return 0;
    const points = -spent.points;
    const expired = await giveBackLots(em, orderId, points, now.getTime());
    account.balance += points - expired;
    account.updatedAt = now;
    this.note(em, { tenantId, userId, action: 'GIVE_BACK', points, orderId, cause }, now);
    if (expired > 0) {
      const entry = { tenantId, userId, orderId, action: 'EXPIRE', cause: 'EXPIRY' } as const;
      this.note(em, { ...entry, points: -expired }, now);
    }
    await em.flush();
    return points;
  }

  private note(em: Em, entry: Entry, createdAt: Date): void {
    em.create(PointsLedger, { ...entry, id: this.ids.next(), createdAt });
  }
}

/** @returns how many of the points expired at once */
async function giveBackLots(em: Em, orderId: Id, points: number, nowMs: number): Promise<number> {
  const taken: readonly LotPoints[] = await em.find(OrderPoints, { orderId }, { disableIdentityMap: true });
  const lots = await lotsById(
    em,
    taken.map(({ lotId }) => lotId),
  );
  let [back, expired] = [0, 0];
  for (const part of taken) {
    const lot = present(lots.get(part.lotId), 'A lot that an order took from');
    const { expired: lost, ...next } = givenBack(lot, part.points, nowMs);
    await changeLot(em, lot.id, next);
    back += part.points;
    expired += lost;
  }
  invariant(back === points, 'The lots of an order gave other points than it spent.');
  return expired;
}

function insufficient(points: number): DomainError<PointsRefusal> {
  return new DomainError('INSUFFICIENT_POINTS', `The user has fewer than ${points} points.`, {
    field: ['input', 'points'],
  });
}
