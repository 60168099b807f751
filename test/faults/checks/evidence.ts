import type { Try } from '../load/client-log.js';
import type { SuppliedCampaign } from '../load/supply.js';
import type { Facts, RedemptionFact } from './facts.js';

/** An event as the subscriber saw it. */
export interface SeenEvent {
  readonly eventId: string;
  readonly cursor: string;
  readonly redemptionId: string;
  readonly status: string;
}

/** What came of redeeming all that was left of a code, or of a campaign's budget. */
export interface Drained {
  /** For people: which code or campaign. */
  readonly what: string;
  readonly left: number;
  readonly redeemed: number;
  /** Every outcome, the last of them of the request for one more than was left. */
  readonly outcomes: readonly string[];
  /** What that last one has to be; null when there is no end. */
  readonly end: string | null;
}

/** All that is known when a workload is over and everything is settled; each check is a function of it. */
export interface Evidence {
  readonly campaigns: readonly SuppliedCampaign[];
  readonly tries: readonly Try[];
  readonly facts: Facts;
  /** As they were at earlier rests: what came after may have mended what was wrong. */
  readonly earlierFacts: readonly Facts[];
  /** Redemption ids of claims that were seen open at some time. */
  readonly claimsSeen: readonly string[];
  /** Wishes that got no final answer in the time that they were given. */
  readonly unsettled: readonly {
    readonly userId: string;
    readonly codeId: string;
    readonly key: string | null;
  }[];
  readonly drained: readonly Drained[];
  /** In the order of arrival; null where there was no subscriber. */
  readonly seen: readonly SeenEvent[] | null;
  /** The whole output of each process. */
  readonly said: readonly string[];
  /** Whole codes, tokens and secrets; none of them may be in the output. */
  readonly secrets: readonly string[];
  /** Redis was emptied or lost writes: its windows start over, and open claims are lost. */
  readonly redisForgot: boolean;
}

/** Redemptions that count as uses. */
export function committedOf({ redemptions }: Facts): RedemptionFact[] {
  return redemptions.filter(({ status }) => status === 'COMMITTED');
}

/** When the earliest request began that may have made a redemption; Infinity when there is no such request. */
export function begunMs({ id, userId, codeId, key }: RedemptionFact, tries: readonly Try[]): number {
  const starts = tries
    .filter((each) => each.userId === userId && each.codeId === codeId && each.key === key)
    .filter(({ outcome }) =>
      outcome.kind === 'COMMITTED' ? outcome.redemptionId === id : outcome.kind !== 'REFUSED',
    )
    .map(({ startMs }) => startMs);
  return Math.min(...starts);
}
