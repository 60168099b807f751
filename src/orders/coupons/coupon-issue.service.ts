import { z } from 'zod';
import type { Em } from '../../platform/database/orm.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { argumentsDigest, countNumber, foreignKeyText, orElse, parseInput } from '../../platform/input.js';
import { keyDigest } from '../../platform/key-digest.js';
import { lockRecipient } from '../../identity/users/recipient.service.js';
import { couponExpiry, templateRefusal, type TemplateTerms } from './coupon-issue.js';
import { countIssued, insertCoupons, lockTemplates } from './coupon-rows.js';
import type { CouponTemplateRefusal, IssueCouponRefusal } from './coupon.errors.js';
import { UserCoupon } from './user-coupon.entity.js';
import { operationIsAbout } from '../../platform/recording/recording-em.js';

const ISSUED_AT_ONCE_MAX = 100;

const issueCouponInput = z.strictObject({
  templateId: z.string().max(24),
  userId: z.string().max(24),
  count: orElse(countNumber(1, ISSUED_AT_ONCE_MAX), 1),
  idempotencyKey: orElse(foreignKeyText, null),
});

const FIELD_REFUSALS = {
  input: 'INPUT_NOT_ALLOWED',
  templateId: 'COUPON_TEMPLATE_NOT_FOUND',
  userId: 'USER_NOT_FOUND',
  count: 'COUPON_COUNT_OUT_OF_RANGE',
  idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
} as const;

const TEMPLATE_MESSAGES: Readonly<Record<CouponTemplateRefusal, string>> = {
  COUPON_TEMPLATE_DISABLED: 'The template is disabled. Enable it first.',
  COUPON_TEMPLATE_NOT_STARTED: 'The window of the template has not begun.',
  COUPON_TEMPLATE_ENDED: 'The window of the template is over.',
  ISSUE_LIMIT_REACHED:
    'The template has fewer coupons left than were asked for. Raise its limit, or ask for fewer.',
};

export interface IssuedCoupons {
  readonly coupons: readonly UserCoupon[];
  /** Whether an earlier call with the same key issued them. */
  readonly replayed: boolean;
}

interface Issue {
  readonly templateId: Id;
  readonly userId: Id;
  readonly idempotencyKey: string | null;
  readonly argumentsDigest: string | null;
  /** Of the coupons, so that a run that is repeated finds what an earlier one has made. */
  readonly couponIds: readonly Id[];
}

/** Coupons that staff give to one user. */
export class CouponIssueService {
  constructor(private readonly its: Pick<PlatformServices, 'ids' | 'clock' | 'transactions'>) {}

  /**
   * Issues all coupons that were asked for, or none. The same key again answers the same coupons.
   * @throws DomainError one of {@link ISSUE_COUPON_REFUSALS}
   */
  async issue(tenantId: string, input: unknown): Promise<IssuedCoupons> {
    const issue = this.issueOf(tenantId, input);
    return this.its.transactions.runForCaller(tenantId, async (em, readsBack) => {
      const earlier = (await knownOf(em, issue)) ?? (readsBack ? await ownOf(em, issue) : null);
      if (earlier !== null) return earlier;
      await lockRecipient(em, issue.userId);
      const [template] = isId(issue.templateId) ? await lockTemplates(em, tenantId, [issue.templateId]) : [];
      // Another call with the same key may have held the lock, and taken what was left.
      return (await knownOf(em, issue)) ?? this.write(em, tenantId, issue, template);
    });
  }

  private issueOf(tenantId: string, input: unknown): Issue {
    const wanted = parseInput<typeof issueCouponInput, IssueCouponRefusal>(
      issueCouponInput,
      input,
      FIELD_REFUSALS,
    );
    const { templateId, userId, count, idempotencyKey: key } = wanted;
    return {
      templateId,
      userId,
      idempotencyKey: key === null ? null : keyDigest(tenantId, 'user_coupon', key),
      argumentsDigest: key === null ? null : argumentsDigest(wanted),
      couponIds: Array.from({ length: count }, () => this.its.ids.next()),
    };
  }

  private async write(
    em: Em,
    tenantId: string,
    issue: Issue,
    template: TemplateTerms | undefined,
  ): Promise<IssuedCoupons> {
    const { userId, couponIds, idempotencyKey, argumentsDigest: digest } = issue;
    const createdAt = new Date(this.its.clock.nowMs());
    const open = openTemplate(template, couponIds.length, createdAt.getTime());
    const expiresAt = couponExpiry(open, createdAt.getTime());
    const source = { redemptionId: null, rewardNo: null, idempotencyKey, argumentsDigest: digest };
    const rest = { userId, template: open, expiresAt, createdAt };
    operationIsAbout(em, { type: 'coupon_template', id: open.id });
    const coupons = couponIds.map((id, ordinal) => ({ ...source, ...rest, id, ordinal }));
    await Promise.all([
      countIssued(em, tenantId, new Map([[open.id, couponIds.length]])),
      insertCoupons(em, tenantId, coupons, 'STAFF', this.its.ids),
    ]);
    return { coupons: await couponsOf(em, couponIds), replayed: false };
  }
}

function openTemplate(template: TemplateTerms | undefined, count: number, nowMs: number): TemplateTerms {
  if (template === undefined) {
    return refuse('COUPON_TEMPLATE_NOT_FOUND', 'The tenant has no template with this id.', 'templateId');
  }
  const refusal = templateRefusal(template, count, nowMs);
  return refusal === null ? template : refuse(refusal, TEMPLATE_MESSAGES[refusal], 'templateId');
}

/** What an earlier call with the same key has issued. */
async function knownOf(em: Em, issue: Issue): Promise<IssuedCoupons | null> {
  const { idempotencyKey, argumentsDigest: digest, couponIds } = issue;
  if (idempotencyKey === null) return null;
  const coupons = await em.find(
    UserCoupon,
    { idempotencyKey },
    { orderBy: { ordinal: 'asc' }, disableIdentityMap: true },
  );
  const [first] = coupons;
  if (first === undefined) return null;
  if (first.argumentsDigest === digest) return { coupons, replayed: first.id !== couponIds[0] };
  const message = 'The idempotency key belongs to a call with other arguments.';
  return refuse('IDEMPOTENCY_KEY_REUSED', message, 'idempotencyKey');
}

/** What this call has issued, where it could not know whether its commit stands. */
async function ownOf(em: Em, { couponIds }: Issue): Promise<IssuedCoupons | null> {
  const coupons = await couponsOf(em, couponIds);
  return coupons.length === 0 ? null : { coupons, replayed: false };
}

async function couponsOf(em: Em, ids: readonly Id[]): Promise<UserCoupon[]> {
  const where = { id: { $in: [...ids] } };
  return em.find(UserCoupon, where, { orderBy: { id: 'asc' }, disableIdentityMap: true });
}

function refuse(code: IssueCouponRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
