import { REWARD_TYPES, type RewardType } from '../../rewards/reward-rule.js';
import { invariant, present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import type {
  RewardApplication,
  RewardHandler,
  RewardHandlers,
  RewardRefusal,
  RewardSession,
} from '../../rewards/reward-handler.js';
import type { Claim } from '../claim/claim.js';
import { orderNoOf, type GrantRow } from '../history/redemption-record.js';

/** Claims of one tenant that a transaction commits. */
export interface TenantClaims {
  /** Of this tenant. */
  readonly em: Em;
  readonly tenantId: string;
  readonly claims: readonly Claim[];
}

/** The rewards of a batch of claims: every handler loads and locks once, then decides claim by claim. */
export class RewardBatch {
  private readonly sessions = new Map<RewardType, RewardSession>();
  private readonly applications: ReadonlyMap<RewardType, readonly RewardApplication[]>;

  private constructor(private readonly part: TenantClaims) {
    this.applications = Map.groupBy(part.claims.flatMap(applicationsOf), ({ rule }) => rule.type);
  }

  /** Of each of these tenants. */
  static async begin<Part extends TenantClaims>(
    parts: readonly Part[],
    handlers: RewardHandlers,
  ): Promise<(Part & { readonly rewards: RewardBatch })[]> {
    const begun = parts.map((part) => ({ ...part, rewards: new RewardBatch(part) }));
    // One type after another, in the order of the types: the locks of each are taken before those of the next.
    for (const type of REWARD_TYPES) {
      const handler = handlers.get(type);
      await Promise.all(begun.map(async ({ rewards }) => rewards.open(type, handler)));
    }
    return begun;
  }

  refusal(claim: Claim): RewardRefusal | null {
    for (const application of applicationsOf(claim)) {
      const refusal = this.session(application).refusal(application);
      if (refusal !== null) return refusal;
    }
    const applications = applicationsOf(claim);
    const isIdle = applications.every((application) => !this.session(application).hasEffect(application));
    return isIdle && applications.length > 0 ? 'REWARD_HAS_NO_EFFECT' : null;
  }

  /** Gives all rewards of a claim, none of which was refused. */
  give(claim: Claim, grantedAt: Date): readonly GrantRow[] {
    const grants: GrantRow[] = [];
    for (const application of applicationsOf(claim)) {
      const outcome = this.session(application).apply(application);
      const { redemptionId, rewardNo, rule } = application;
      const { targetId, period } = outcome;
      grants.push({
        tenantId: claim.tenantId,
        redemptionId,
        rewardNo,
        type: rule.type,
        status: 'GRANTED',
        sourceId: rule.id,
        targetId,
        value: rule.value,
        grantedAt,
        periodFrom: period?.from ?? null,
        periodUntil: period?.until ?? null,
        debt: null,
      });
    }
    invariant(
      grants.length === claim.rewards.length,
      'A redemption must give exactly the rewards of its claim.',
    );
    return grants;
  }

  async flush(): Promise<void> {
    await Promise.all([...this.sessions.values()].map(async (session) => session.flush()));
  }

  private async open(type: RewardType, handler: RewardHandler | undefined): Promise<void> {
    const applications = this.applications.get(type);
    if (applications === undefined) return;
    const { em, tenantId } = this.part;
    const begun = present(handler, `The handler of ${type} rewards`).begin(em, tenantId, applications);
    this.sessions.set(type, await begun);
  }

  private session(application: RewardApplication): RewardSession {
    return present(this.sessions.get(application.rule.type), 'The reward session');
  }
}

function applicationsOf(claim: Claim): RewardApplication[] {
  return claim.rewards.map(({ rewardNo, rule }) => ({
    redemptionId: claim.redemptionId,
    orderId: orderNoOf(claim.redemptionId),
    rewardNo,
    userId: claim.userId,
    rule,
    claimedAtMs: claim.claimedAtMs,
  }));
}
