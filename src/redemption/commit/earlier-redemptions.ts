import type { Id } from '../../platform/ids.js';
import type { Em } from '../../platform/database/orm.js';
import type { Claim } from '../claim/claim.js';
import { Redemption } from '../history/redemption.entity.js';
import { withRewards } from '../history/redemption-reader.js';
import type { RedemptionRecord } from '../history/redemption-record.js';

/**
 * Redemptions that stand in the way of claims, in the order in which a duplicate key is read back: the same id,
 * the same key, the same user and code. Also knows those that this batch has just decided.
 */
export class EarlierRedemptions {
  private readonly ids = new Map<Id, RedemptionRecord>();
  private readonly keys = new Map<string, RedemptionRecord>();
  private readonly codeUsers = new Map<string, RedemptionRecord>();

  /** Reads them under the users' locks, so that no redemption of these users can come in between. */
  static async read(em: Em, claims: readonly Claim[]): Promise<EarlierRedemptions> {
    const keyed = claims.filter((claim) => claim.idempotencyKey !== null);
    const rows = await em.find(
      Redemption,
      {
        $or: [
          { id: { $in: claims.map((claim) => claim.redemptionId) } },
          {
            codeId: { $in: claims.map((claim) => claim.codeId) },
            userId: { $in: claims.map((claim) => claim.userId) },
            userUseNo: { $ne: null },
          },
          ...(keyed.length === 0
            ? []
            : [
                {
                  userId: { $in: keyed.map((claim) => claim.userId) },
                  idempotencyKey: { $in: keyed.map((claim) => claim.idempotencyKey) },
                },
              ]),
        ],
      },
      { disableIdentityMap: true },
    );
    const earlier = new EarlierRedemptions();
    for (const record of await withRewards(em, rows)) earlier.add(record);
    return earlier;
  }

  add(record: RedemptionRecord): void {
    this.ids.set(record.id, record);
    if (record.idempotencyKey !== null && record.idempotencyKey !== undefined) {
      this.keys.set(`${record.userId}|${record.idempotencyKey}`, record);
    }
    if (record.userUseNo !== null && record.userUseNo !== undefined) {
      this.codeUsers.set(`${record.userId}|${record.codeId}`, record);
    }
  }

  sameId(claim: Claim): RedemptionRecord | undefined {
    return this.ids.get(claim.redemptionId);
  }

  sameKey(claim: Claim): RedemptionRecord | undefined {
    return claim.idempotencyKey === null
      ? undefined
      : this.keys.get(`${claim.userId}|${claim.idempotencyKey}`);
  }

  sameCodeAndUser(claim: Claim): RedemptionRecord | undefined {
    return this.codeUsers.get(`${claim.userId}|${claim.codeId}`);
  }
}
