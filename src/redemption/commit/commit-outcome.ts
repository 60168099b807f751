import type { Id } from '../../platform/ids.js';
import type { SpentLimit } from '../claim/claim.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import type { RedemptionRecord } from '../history/redemption-record.js';

/** The outcome of a claim in the database. */
export type CommitOutcome =
  | {
      /** Committed by this transaction. */
      readonly kind: 'COMMITTED';
      readonly record: RedemptionRecord;
      readonly code: CodeAfterwards;
    }
  | {
      /** The same id was committed before, by another process that had adopted the claim. */
      readonly kind: 'SETTLED';
      readonly record: RedemptionRecord;
      readonly code: CodeAfterwards;
    }
  | {
      /** Refused and tombstoned by this transaction; the use can be given back. */
      readonly kind: 'REFUSED';
      readonly refusal: RedeemRefusal;
      /** The redemption that stands in the way, when that is the reason. */
      readonly first: RedemptionRecord | null;
      readonly codeVersion: number;
      readonly spent: SpentLimit | null;
    }
  | {
      /** The same key had been committed before, for the same code; this id is tombstoned. */
      readonly kind: 'REPLAYED';
      readonly record: RedemptionRecord;
      readonly codeVersion: number;
    }
  | {
      /** The id is a tombstone: the claim was aborted. A new id may try again. */
      readonly kind: 'ABORTED';
    };

/** Why a claim was refused or aborted, as its tombstone says it; null when it was committed. */
export function refusalReason(outcome: CommitOutcome): string | null {
  if (outcome.kind === 'COMMITTED' || outcome.kind === 'SETTLED') return null;
  return outcome.kind === 'REFUSED' ? outcome.refusal : outcome.kind;
}

/** How a transaction left a code: what Redis' copy takes over. */
export interface CodeAfterwards {
  readonly used: number;
  readonly versionBefore: number;
  readonly version: number;
  /** Who used it up, when it has one use. */
  readonly soleUserId: Id | null;
}
