import type { LimitScope } from '../../limits/rate-limit.service.js';
import type { Id } from '../../platform/ids.js';
import type { CommitOutcome } from '../commit/commit-outcome.js';
import type { RedemptionRecord } from '../history/redemption-record.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import type { Refusal } from './redeem-request.js';

/** The outcome of an attempt to redeem a code. A store that does not answer is thrown: `RedemptionService.attempt` answers for it. */
export type AttemptOutcome =
  | { readonly kind: 'COMMITTED'; readonly record: RedemptionRecord }
  | Refused
  /** The claim stands and a job will settle it, but the caller has waited long enough. */
  | { readonly kind: 'PROCESSING'; readonly redemptionId: Id }
  /** The redemption id is a tombstone; a new id may try. */
  | { readonly kind: 'ABORTED' };

/** A refusal, with what the answer shows besides its code. */
export class Refused {
  readonly kind = 'REFUSED';

  constructor(
    readonly refusal: RedeemRefusal,
    /** The redemption that stands in the way. */
    readonly first: RedemptionRecord | null = null,
    readonly retryAfterMs: number | null = null,
    /** Whose limit held a RATE_LIMITED attempt back. */
    readonly limitedBy: LimitScope | null = null,
    /** Whether it is answered as CODE_REFUSED. */
    readonly isFolded: boolean = false,
    /** Of the code, where it was found. */
    readonly campaignId: Id | null = null,
  ) {}

  /** The same, answered as CODE_REFUSED. A time to wait would tell folded refusals apart again. */
  folded(): Refused {
    return new Refused(this.refusal, null, null, null, true, this.campaignId);
  }

  /** The same, of a code of this campaign. */
  ofCampaign(campaignId: Id): Refused {
    const { refusal, first, retryAfterMs, limitedBy, isFolded } = this;
    return new Refused(refusal, first, retryAfterMs, limitedBy, isFolded, campaignId);
  }

  get answered(): Refusal {
    return { code: this.isFolded ? 'CODE_REFUSED' : this.refusal, retryAfterMs: this.retryAfterMs };
  }
}

export const ABORTED = { kind: 'ABORTED' } as const;

export function outcomeOf(committed: CommitOutcome): AttemptOutcome {
  switch (committed.kind) {
    case 'COMMITTED':
    case 'SETTLED':
    case 'REPLAYED':
      return { kind: 'COMMITTED', record: committed.record };
    case 'ABORTED':
      return ABORTED;
    case 'REFUSED': {
      const { refusal, first } = committed;
      return new Refused(refusal, refusal === 'ALREADY_REDEEMED' ? first : null);
    }
  }
}
