import { invariant, present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type { GiveBackCause } from '../give-back.js';
import { lockAccount, lockAccounts, writeBalances, writeLots } from './points-account.js';
import { spendFrom } from './points-lots.js';
import { givenBackBefore, LotsOfOrders, spentBy } from './points-orders.js';
import { OrderPoints, PointsLedger, PointsLot, type PointsAccount } from './points.entity.js';
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
    const changed = taken.map(({ lotId, points: part }) => {
      const { id, remaining, spent } = present(byId.get(lotId), 'A lot that was spent');
      return { id, remaining: remaining - part, spent: spent + part };
    });
    await writeLots(em, tenantId, changed);
    for (const part of taken) em.create(OrderPoints, { tenantId, orderId, ...part });
    account.balance -= points;
    account.updatedAt = now;
    this.note(em, { tenantId, userId, action: 'SPEND', points: -points, orderId, cause: 'ORDER' }, now);
    await em.flush();
  }

  /** As {@link giveBackAll}, of one order. @returns the points; 0 where there are none, or they have gone back before */
  async giveBack(em: Em, tenantId: string, orderId: Id, cause: GiveBackCause, now: Date): Promise<number> {
    return (await this.giveBackAll(em, tenantId, [orderId], cause, now)).get(orderId) ?? 0;
  }

  /**
   * When orders are closed or wholly refunded: all points go back to the lots that they came from, once per order.
   * Those of a lot that has expired meanwhile expire at once, and the ledger says so. All accounts are locked by one
   * statement.
   * @returns by order the points that went back now, expired ones included
   */
  async giveBackAll(
    em: Em,
    tenantId: string,
    orderIds: readonly Id[],
    cause: GiveBackCause,
    now: Date,
  ): Promise<Map<Id, number>> {
    const spent = orderIds.length === 0 ? [] : await spentBy(em, orderIds);
    if (spent.length === 0) return new Map();
    const accounts = await lockAccounts(
      em,
      spent.map(({ userId }) => userId),
    );
    // Under the locks: who held them may have given points back.
    const done = await givenBackBefore(em, orderIds);
    const due = spent.filter(({ orderId }) => !done.has(orderId));
    const lots = await LotsOfOrders.read(em, due);
    const changed = new Set<PointsAccount>();
    for (const { orderId, userId, points } of due) {
      const expired = lots.giveBack(orderId, points, now.getTime());
      const account = present(accounts.get(userId), 'The account that was spent from');
      account.balance += points - expired;
      changed.add(account);
      this.note(em, { tenantId, userId, action: 'GIVE_BACK', points, orderId, cause }, now);
      if (expired === 0) continue;
      const entry = { tenantId, userId, orderId, action: 'EXPIRE', cause: 'EXPIRY' } as const;
      this.note(em, { ...entry, points: -expired }, now);
    }
    await lots.write(em, tenantId);
    await writeBalances(em, tenantId, changed, now);
    await em.flush();
    return new Map(due.map(({ orderId, points }) => [orderId, points]));
  }

  private note(em: Em, entry: Entry, createdAt: Date): void {
    em.create(PointsLedger, { ...entry, id: this.ids.next(), createdAt });
  }
}

function insufficient(points: number): DomainError<PointsRefusal> {
  return new DomainError('INSUFFICIENT_POINTS', `The user has fewer than ${points} points.`, {
    field: ['input', 'points'],
  });
}
