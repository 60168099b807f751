import { invariant, present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type {
  RewardApplication,
  RewardOutcome,
  RewardRefusal,
  RewardSession,
} from '../../rewards/reward-handler.js';
import { couponExpiry, templateRefusal, type NewCoupon, type TemplateTerms } from './coupon-issue.js';
import { countIssued, insertCoupons } from './coupon-rows.js';

/** The locked templates of one batch. Coupons are decided and kept here until {@link flush}. */
export class CouponRewardSession implements RewardSession {
  private readonly templates: Map<Id, TemplateTerms>;
  /** Coupons that all rewards of a redemption together ask of a template. */
  private readonly wanted = new Map<string, number>();
  private readonly issued = new Map<Id, number>();
  private readonly coupons: NewCoupon[] = [];

  constructor(
    private readonly em: Em,
    private readonly tenantId: string,
    private readonly ids: IdGenerator,
    templates: readonly TemplateTerms[],
    applications: readonly RewardApplication[],
  ) {
    this.templates = new Map(templates.map((template) => [template.id, template]));
    for (const application of applications) {
      const key = wantedKey(application);
      this.wanted.set(key, (this.wanted.get(key) ?? 0) + application.rule.quantity);
    }
  }

  refusal(application: RewardApplication): RewardRefusal | null {
    return this.refusalOf(application, this.wanted.get(wantedKey(application)) ?? 0);
  }

  hasEffect(): boolean {
    return true;
  }

  apply(application: RewardApplication): RewardOutcome {
    const { redemptionId, rewardNo, userId, rule, claimedAtMs } = application;
    const isGiven = this.refusalOf(application, rule.quantity) === null;
    invariant(isGiven, 'A coupon was given that has to be refused.');
    const template = present(this.templates.get(rule.id), 'The template of a reward');
    const source = { redemptionId, rewardNo, idempotencyKey: null, argumentsDigest: null };
    const expiresAt = couponExpiry(template, claimedAtMs);
    const rest = { userId, template, expiresAt, createdAt: new Date(claimedAtMs) };
    const coupons = Array.from({ length: rule.quantity }, (_, ordinal) => ({
      ...source,
      ...rest,
      id: this.ids.next(),
      ordinal,
    }));
    this.coupons.push(...coupons);
    this.templates.set(template.id, { ...template, issued: template.issued + rule.quantity });
    this.issued.set(template.id, (this.issued.get(template.id) ?? 0) + rule.quantity);
    return { targetId: present(coupons[0], 'The first coupon of a reward').id };
  }

  async flush(): Promise<void> {
    await Promise.all([
      countIssued(this.em, this.tenantId, this.issued),
      insertCoupons(this.em, this.tenantId, this.coupons, 'REDEMPTION', this.ids),
    ]);
  }

  private refusalOf({ rule, claimedAtMs }: RewardApplication, count: number): RewardRefusal | null {
    const template = this.templates.get(rule.id);
    // A template is never taken away, and campaigns check at creation that theirs exist.
    if (template === undefined) return 'COUPON_NOT_ISSUABLE';
    return templateRefusal(template, count, claimedAtMs) === null ? null : 'COUPON_NOT_ISSUABLE';
  }
}

function wantedKey({ redemptionId, rule }: RewardApplication): string {
  return `${redemptionId} ${rule.id}`;
}
