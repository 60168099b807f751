import { LockMode, type MikroORM } from '@mikro-orm/core';
import { Campaign } from '../../../src/campaigns/campaign.entity.js';
import { CodeBatch } from '../../../src/codes/code-batch.entity.js';
import { canonicalize } from '../../../src/codes/canonical-code.js';
import { Code } from '../../../src/codes/code.entity.js';
import { answer } from '../../../src/graphql/payload.js';
import { User } from '../../../src/identity/users/user.entity.js';
import { Order } from '../../../src/orders/orders/order.entity.js';
import { systemClock } from '../../../src/platform/clock.js';
import { tenantEm, type Em } from '../../../src/platform/database/orm.js';
import { DomainError } from '../../../src/platform/errors.js';
import { IdGenerator, NODE_COUNT } from '../../../src/platform/ids.js';
import { Redemption } from '../../../src/redemption/history/redemption.entity.js';
import { RewardGrant } from '../../../src/redemption/history/reward-grant.entity.js';
import type { RedeemRequest } from '../../../src/redemption/redeem/redeem-request.js';
import { addUnits } from '../../../src/rewards/calendar.js';
import { Plan } from '../../../src/subscriptions/plan.entity.js';
import { newCredentials } from '../../../src/subscriptions/subscription-grant.js';
import { Subscription } from '../../../src/subscriptions/subscription.entity.js';

const WRITE = { lockMode: LockMode.PESSIMISTIC_WRITE };
/** The last node number, which no other process of a benchmark has. */
const ids = new IdGenerator(systemClock, () => ({ nodeNo: NODE_COUNT - 1, validUntilMs: Infinity }));

/** One redemption as most programs would do it: a transaction that locks the rows, judges them, and writes entities. */
export async function redeemPlainly(orm: MikroORM, request: RedeemRequest): Promise<object> {
  const em = tenantEm(orm, request.tenantId);
  return answer(async () => {
    const redemption = await em.transactional(async (tx) => redeemIn(tx, request));
    return { status: 'COMMITTED', redemption, orderNo: redemption.id };
  });
}

function refusal(code: string): DomainError {
  return new DomainError(code, 'The code was not redeemed.');
}

async function redeemIn(em: Em, request: RedeemRequest) {
  const { tenantId, userId } = request;
  const user = await em.findOne(User, { tenantId, id: userId }, WRITE);
  if (user?.status !== 'ACTIVE') throw refusal('USER_DISABLED');
  const code = await em.findOne(Code, { tenantText: `${tenantId} ${canonicalize(request.code)}` }, WRITE);
  const { campaign, plan } = await requireOpen(em, code, request);
  const subscription = await em.findOne(
    Subscription,
    { tenantId, userId, planId: plan.id, status: 'ACTIVE' },
    WRITE,
  );
  return write(em, request, { code: code as Code, campaign, plan, subscription });
}

/** @throws DomainError where the code cannot be redeemed by this user now */
async function requireOpen(em: Em, code: Code | null, { tenantId, userId, idempotencyKey }: RedeemRequest) {
  if (code === null) throw refusal('CODE_NOT_FOUND');
  const campaign = await em.findOne(Campaign, { tenantId, id: code.campaignId });
  const batch = await em.findOne(CodeBatch, { tenantId, id: code.batchId });
  if (campaign?.status !== 'ACTIVE' || batch?.status !== 'READY' || code.status !== 'ACTIVE')
    throw refusal('CODE_DISABLED');
  if (code.expiresAt && code.expiresAt.getTime() <= Date.now()) throw refusal('CODE_EXPIRED');
  const earlier = await em.findOne(Redemption, {
    tenantId,
    userId,
    $or: [{ codeId: code.id }, { idempotencyKey }],
  });
  if (earlier !== null) throw refusal('ALREADY_REDEEMED');
  if (code.useLimit > 0 && code.used >= code.useLimit) throw refusal('CODE_EXHAUSTED');
  const [reward] = campaign.rule.rewardRules;
  const plan = await em.findOne(Plan, { tenantId, id: reward?.id ?? '' });
  if (plan === null) throw refusal('PLAN_SOLD_OUT');
  return { campaign, plan };
}

interface Found {
  readonly code: Code;
  readonly campaign: Campaign;
  readonly plan: Plan;
  readonly subscription: Subscription | null;
}

function write(em: Em, request: RedeemRequest, { code, campaign, plan, subscription }: Found) {
  const { tenantId, userId } = request;
  const id = ids.next();
  const now = new Date();
  code.used += 1;
  code.lastUseNo += 1;
  code.version += 1;
  const expiresAtMs = addUnits(subscription?.expiresAt?.getTime() ?? now.getTime(), plan.unitTime, 1);
  const expiresAt = expiresAtMs === null ? null : new Date(expiresAtMs);
  const held = subscription ?? em.create(Subscription, newSubscription(request, id, plan, now));
  Object.assign(held, { expiresAt, updatedAt: now });
  const redemption = em.create(Redemption, {
    tenantId,
    id,
    status: 'COMMITTED',
    codeId: code.id,
    campaignId: campaign.id,
    batchId: code.batchId,
    userId,
    useNo: code.lastUseNo,
    userUseNo: 1,
    idempotencyKey: request.idempotencyKey,
    productCode: request.productCode ?? '',
    claimedAt: now,
    settledAt: now,
  });
  const order = { type: 'REDEMPTION', status: 'FINISHED', amount: '0', isNew: true } as const;
  em.create(Order, {
    ...order,
    tenantId,
    id,
    userId,
    subscriptionId: held.id,
    createdAt: now,
    finishedAt: now,
  });
  const grant = em.create(RewardGrant, {
    tenantId,
    redemptionId: id,
    rewardNo: 0,
    type: 'SUBSCRIPTION',
    status: 'GRANTED',
    sourceId: plan.id,
    targetId: held.id,
    value: '0',
    grantedAt: now,
  });
  return { ...redemption, rewards: [grant] };
}

function newSubscription({ tenantId, userId }: RedeemRequest, orderId: string, plan: Plan, now: Date) {
  return {
    ...newCredentials(),
    tenantId,
    id: ids.next(),
    userId,
    planId: plan.id,
    orderId,
    status: 'ACTIVE' as const,
    startedAt: now,
    trafficBytes: plan.trafficBytes,
    trafficUsedBytes: 0,
    updatedAt: now,
  };
}
