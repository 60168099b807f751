import type { ReachedLimit, UsageLedger, UsageWanted } from '../../campaigns/campaign-usage.service.js';
import { present } from '../../platform/assert.js';
import { Money } from '../../platform/decimal.js';
import type { Id } from '../../platform/ids.js';
import { dayOf, type Claim } from '../claim/claim.js';
import { guardByRows, guardUses } from './commit-guards.js';
import type { LockedCode, LockedRows } from './commit-locks.js';
import type { CommitOutcome } from './commit-outcome.js';
import type { EarlierRedemptions } from '../redeem/earlier-redemptions.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import type { GrantRow, RedemptionRecord } from '../history/redemption-record.js';
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

  /** Decides one claim after another, so that each sees what those before it were given. */
  decideAll(claims: readonly Claim[]): void {
    for (const claim of claims) this.decide(claim);
  }

  private decide(claim: Claim): void {
    if (this.answersEarlier(claim)) return;
    const early = guardByRows(claim, this.rows);
    if (early !== null) return this.refuse(claim, early);
    const first = this.earlier.sameCodeAndUser(claim);
    if (first !== undefined) return this.refuse(claim, 'ALREADY_REDEEMED', { first });

    const code = present(this.rows.codes.get(claim.codeId), 'The locked code');
    const wanted = this.wanted(claim);
    const userLimit = this.usage.reached(wanted, ['USER', 'USER_DAY']);
    if (userLimit !== null) return this.refuse(claim, 'USER_LIMIT_REACHED', { spent: userLimit });
    const uses = guardUses(code);
    if (uses !== null) return this.refuse(claim, uses);
    const budget = this.usage.reached(wanted, ['BUDGET']);
    if (budget !== null) {
      const spent = this.usage.isSpentForAll(wanted, budget) ? { spent: budget } : {};
      return this.refuse(claim, 'BUDGET_EXHAUSTED', spent);
    }
    const reward = this.rewards.refusal(claim);
    if (reward !== null) return this.refuse(claim, reward);
    this.accept(claim, code, wanted);
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
      this.refuse(claim, 'IDEMPOTENCY_KEY_REUSED', { first: sameKey });
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

  private refuse(
    claim: Claim,
    refusal: RedeemRefusal,
    because: { readonly first?: RedemptionRecord; readonly spent?: ReachedLimit } = {},
  ): void {
    this.tombstones.push({ claim, reason: refusal });
    const campaignVersion = this.rows.campaigns.get(claim.campaignId)?.version ?? 0;
    this.others.set(claim.redemptionId, {
      kind: 'REFUSED',
      refusal,
      first: because.first ?? null,
      codeVersion: this.versionOf(claim),
      spent: because.spent === undefined ? null : { campaignVersion, limit: because.spent },
    });
  }

  private accept(claim: Claim, code: LockedCode, wanted: UsageWanted): void {
    code.used += 1;
    code.lastUseNo += 1;
    this.usage.count(wanted);
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
      rewards: given,
    };
    this.earlier.add(record);
    this.accepted.push({ claim, record, code, given });
  }

  private wanted(claim: Claim): UsageWanted {
    const campaign = present(this.rows.campaigns.get(claim.campaignId), 'The locked campaign');
    return usageWanted(claim, campaign);
  }

  private versionOf(claim: Claim): number {
    return this.rows.codes.get(claim.codeId)?.version ?? 0;
  }
}

/** What a claim counts for in its campaign's limits. */
export function usageWanted(claim: Claim, campaign: UsageWanted['campaign']): UsageWanted {
  const value = claim.rewards.reduce((sum, { rule }) => sum.add(rule.value), new Money(0));
  return { campaign, userId: claim.userId, day: dayOf(claim.claimedAtMs), value };
}
