import { Order } from '../../orders/orders/order.entity.js';
import type { Id } from '../../platform/ids.js';
import type { Em } from '../../platform/database/orm.js';
import type { Claim } from '../claim/claim.js';
import { Redemption } from '../history/redemption.entity.js';
import { orderNoOf } from '../history/redemption-record.js';

type Row = Pick<Redemption, 'id' | 'status' | 'abortReason'>;
type KeyRow = Pick<Redemption, 'id' | 'userId' | 'codeId' | 'idempotencyKey'>;

/** What the database knows already of claims that are to be aborted. */
export class SettledBefore {
  private constructor(
    private readonly rows: ReadonlyMap<Id, Row>,
    private readonly orderIds: ReadonlySet<Id>,
    private readonly winners: readonly KeyRow[],
  ) {}

  static async read(em: Em, claims: readonly Claim[]): Promise<SettledBefore> {
    const rows = await em.find(
      Redemption,
      { id: { $in: claims.map((claim) => claim.redemptionId) } },
      { fields: ['tenantId', 'id', 'status', 'abortReason'], disableIdentityMap: true },
    );
    const deferred = claims.filter((claim) => claim.isDeferred);
    return new SettledBefore(
      new Map(rows.map((row) => [row.id, row])),
      await ordersOf(em, deferred),
      await winnersOf(em, deferred),
    );
  }

  /** How the claim was settled; null when it was not. A redemption that was reversed was committed. */
  settled(claim: Claim): 'ABORTED' | 'COMMITTED' | null {
    const row = this.rows.get(claim.redemptionId);
    if (row === undefined) return null;
    return row.status === 'ABORTED' ? 'ABORTED' : 'COMMITTED';
  }

  /** Why the tombstone is there; null when there is none. */
  abortReason(claim: Claim): string | null {
    return this.rows.get(claim.redemptionId)?.abortReason ?? null;
  }

  /** Whether the claim was deferred and its order is not there yet. What is committed has its order. */
  needsOrder(claim: Claim): boolean {
    return claim.isDeferred && !this.orderIds.has(orderNoOf(claim.redemptionId));
  }

  /** The redemption of the same code that has the claim's idempotency key. */
  winnerId(claim: Claim): Id | null {
    const winner = this.winners.find(
      ({ userId, codeId, idempotencyKey }) =>
        userId === claim.userId && codeId === claim.codeId && idempotencyKey === claim.idempotencyKey,
    );
    return winner?.id ?? null;
  }
}

async function ordersOf(em: Em, deferred: readonly Claim[]): Promise<ReadonlySet<Id>> {
  if (deferred.length === 0) return new Set();
  const rows = await em.find(
    Order,
    { id: { $in: deferred.map((claim) => orderNoOf(claim.redemptionId)) } },
    { fields: ['tenantId', 'id'], disableIdentityMap: true },
  );
  return new Set(rows.map((row) => row.id));
}

async function winnersOf(em: Em, deferred: readonly Claim[]): Promise<readonly KeyRow[]> {
  const keyed = deferred.filter((claim) => claim.idempotencyKey !== null);
  if (keyed.length === 0) return [];
  return em.find(
    Redemption,
    {
      userId: { $in: keyed.map((claim) => claim.userId) },
      idempotencyKey: { $in: keyed.map((claim) => claim.idempotencyKey) },
    },
    { fields: ['tenantId', 'id', 'userId', 'codeId', 'idempotencyKey'], disableIdentityMap: true },
  );
}
