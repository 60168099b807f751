import { usageDay, type UsageLedger } from '../../campaigns/campaign-usage.service.js';
import { present } from '../../platform/assert.js';
import { compareIds, type Id } from '../../platform/ids.js';
import type { Claim } from '../claim/claim.js';
import { refusalOf, usageWanted, type ClaimRefusal } from './commit-guards.js';
import type { LockedCode, LockedRows } from './commit-locks.js';
import type { CommitOutcome } from './commit-outcome.js';
import type { EarlierRedemptions } from './earlier-redemptions.js';
import { NOT_REVERSED, type GrantRow, type RedemptionRecord } from '../history/redemption-record.js';
import type { RewardBatch } from './reward-batch.js';

/** A redemption that this transaction commits; `code` moves on while the batch is decided. */
export interface Accepted {
  readonly claim: Claim;
  readonly record: RedemptionRecord;
  readonly code: LockedCode;
  readonly given: readonly GrantRow[];
}

export interface Tombstone {
  readonly claim: Claim;
  readonly reason: string;
}

/** Everything that a batch of claims comes to, before anything is written. */
export class CommitDecisions {
  readonly accepted: Accepted[] = [];
  readonly tombstones: Tombstone[] = [];
  /** Of claims that were not accepted. */
  readonly others = new Map<Id, CommitOutcome>();

  constructor(
    private readonly rows: LockedRows,
    private readonly earlier: EarlierRedemptions,
    private readonly usage: UsageLedger,
    private readonly rewards: RewardBatch,
    private readonly settledAt: Date,
  ) {}

  /**
   * Decides one claim after another, so that each sees what those before it were given. The order of the claims, not of
   * their arrival here, decides who gets the last use.
   */
  decideAll(claims: readonly Claim[]): void {
    for (const claim of claims.toSorted(byClaim)) this.decide(claim);
  }

  private decide(claim: Claim): void {
    if (this.answersEarlier(claim)) return;
    const refused = refusalOf(claim, {
      rows: this.rows,
      first: this.earlier.sameCodeAndUser(claim) ?? null,
      usage: this.usage,
      openClaims: 0,
      userRefusal: null,
      rewardRefusal: () => this.rewards.refusal(claim),
    });
    if (refused === null) this.accept(claim);
    else this.refuse(claim, refused);
  }

  /** A duplicate key is read back in this order: the id, then the key. The loser tombstones its own id. */
  private answersEarlier(claim: Claim): boolean {
    const sameId = this.earlier.sameId(claim);
    if (sameId !== undefined) {
      this.others.set(claim.redemptionId, this.sameIdOutcome(claim, sameId));
      return true;
    }
    const sameKey = this.earlier.sameKey(claim);
    if (sameKey === undefined) return false;
    if (sameKey.codeId === claim.codeId) {
      this.tombstones.push({ claim, reason: 'REPLAYED' });
      this.others.set(claim.redemptionId, {
        kind: 'REPLAYED',
        record: sameKey,
        codeVersion: this.versionOf(claim),
      });
    } else {
      this.refuse(claim, { refusal: 'IDEMPOTENCY_KEY_REUSED', first: sameKey });
    }
    return true;
  }

  private sameIdOutcome(claim: Claim, record: RedemptionRecord): CommitOutcome {
    if (record.status === 'ABORTED') return { kind: 'ABORTED' };
    const code = present(this.rows.codes.get(claim.codeId), 'The locked code');
    const soleUserId =
      code.useLimit === 1 && code.used === 1 && record.userUseNo !== null ? claim.userId : null;
    return {
      kind: 'SETTLED',
      record,
      code: { used: code.used, versionBefore: code.versionBefore, version: code.version, soleUserId },
    };
  }

  private refuse(claim: Claim, { refusal, first = null, limit }: ClaimRefusal): void {
    this.tombstones.push({ claim, reason: refusal });
    const campaignVersion = this.rows.campaigns.get(claim.campaignId)?.version ?? 0;
    const wanted = limit === undefined ? null : usageWanted(claim, this.rows);
    const isSpent = limit !== undefined && wanted !== null && this.usage.isSpentForAll(wanted, limit);
    this.others.set(claim.redemptionId, {
      kind: 'REFUSED',
      refusal,
      first,
      codeVersion: this.versionOf(claim),
      spent: isSpent ? { campaignVersion, limit, day: usageDay(wanted) } : null,
    });
  }

  private accept(claim: Claim): void {
    const code = present(this.rows.codes.get(claim.codeId), 'The locked code');
    code.used += 1;
    code.lastUseNo += 1;
    this.usage.count(usageWanted(claim, this.rows));
    const given = this.rewards.give(claim, this.settledAt);
    const record: RedemptionRecord = {
      tenantId: claim.tenantId,
      id: claim.redemptionId,
      status: 'COMMITTED',
      codeId: claim.codeId,
      campaignId: claim.campaignId,
      batchId: claim.batchId,
      userId: claim.userId,
      useNo: code.lastUseNo,
      userUseNo: 1,
      idempotencyKey: claim.idempotencyKey,
      productCode: claim.productCode,
      deviceId: claim.deviceId,
      claimedAt: new Date(claim.claimedAtMs),
      settledAt: this.settledAt,
      abortReason: null,
      ...NOT_REVERSED,
      rewards: given,
    };
    this.earlier.add(record);
    this.accepted.push({ claim, record, code, given });
  }

  private versionOf(claim: Claim): number {
    return this.rows.codes.get(claim.codeId)?.version ?? 0;
  }
}

/** What a redemption comes to whose transaction is committed. */
export function committed({ claim, record, code }: Accepted): [Id, CommitOutcome] {
  const { used, versionBefore, version } = code;
  const soleUserId = code.useLimit === 1 && used === 1 ? claim.userId : null;
  const outcome = { kind: 'COMMITTED', record, code: { used, versionBefore, version, soleUserId } } as const;
  return [claim.redemptionId, outcome];
}

function byClaim(a: Claim, b: Claim): number {
  return a.claimedAtMs - b.claimedAtMs || compareIds(a.redemptionId, b.redemptionId);
}
