import type { RedemptionRecord } from '../../../src/redemption/history/redemption-record.js';
import type { RedeemRefusal, ReverseRedemptionRefusal } from '../../../src/redemption/redemption.errors.js';
import { Money } from '../../../src/platform/decimal.js';
import { DomainError } from '../../../src/platform/errors.js';
import { emOf, redeem, type World } from '../../support/world.js';
import type { Actor, Kind } from '../kind.js';
import type { Scene } from '../scene.js';

/** So many codes of a campaign are tried at about the same time. */
const TRIED = 8;

export const REDEEM: Kind = {
  name: 'REDEEM',
  weight: 12,
  refusals: [
    'ALREADY_REDEEMED',
    'CODE_EXHAUSTED',
    'CODE_HELD',
    'PLAN_SOLD_OUT',
  ] satisfies readonly RedeemRefusal[],
  make: (actor) => {
    const { scene, known, draw, name, progress } = actor;
    const userId = known.user(draw);
    const { codes, id: campaignId } = draw.pick(scene.campaigns);
    const from = Math.floor(progress * (codes.length - TRIED));
    const code = codes[from + draw.between(0, TRIED - 1)] ?? '';
    const key = draw.chance(0.5) ? { idempotencyKey: name } : {};
    return {
      says: `${code} of campaign ${campaignId} by ${userId}`,
      send: async (world) => {
        const { redemption, refusal, status } = await redeem(world, scene.tenantId, userId, code, key);
        if (refusal !== null) throw new DomainError(refusal.code, 'The code was not redeemed.');
        if (redemption === null) throw new Error(`A redemption was answered as ${status}.`);
        if ('idempotencyKey' in key) actor.model.isNew(`redemption of key ${name}`, redemption.id);
        if (actor.model.redeem(redemption)) await takeDown(actor, world, redemption);
        return redemption.status;
      },
    };
  },
};

/** What a redemption gave. */
async function takeDown(
  { scene, model, known }: Actor,
  world: World,
  { id, userId, campaignId, rewards }: RedemptionRecord,
): Promise<void> {
  known.of(userId).redemptions.add(id);
  const { tenantId } = scene;
  const em = emOf(world, tenantId);
  const coupons = await em.execute<{ id: string; template: string }[]>(
    `select cast(id as char) as id, cast(template_id as char) as template from user_coupon
      where tenant_id = ? and redemption_id = ?`,
    [tenantId, id],
  );
  for (const coupon of coupons) {
    model.issueCoupon(coupon.id, userId, coupon.template);
    known.of(userId).coupons.add(coupon.id);
  }
  for (const { rewardNo, type, sourceId: facilityId, targetId } of rewards) {
    const amount = amountOf(scene, campaignId, rewardNo);
    if (type === 'POINTS') model.grantPoints(targetId, userId, Number(amount));
    if (type === 'BALANCE')
      model.move(`reward ${id}:${rewardNo}`, { userId, facilityId, currency: 'USD' }, amount);
  }
}

/** With and without the use, and with what has been spent as a debt or not at all. */
export const REVERSE: Kind = {
  name: 'REVERSE',
  weight: 6,
  refusals: ['ALREADY_REVERSED', 'REWARD_SPENT'] satisfies readonly ReverseRedemptionRefusal[],
  make: ({ scene, known, model, draw }) => {
    const userId = known.user(draw);
    const redemptionId = known.of(userId).redemptions.pick(draw);
    if (redemptionId === undefined) return null;
    const returnUse = draw.chance(0.5);
    const spent = draw.pick(['REFUSE', 'DEBT']);
    const input = { redemptionId, reason: 'A simulation', returnUse, spent };
    return {
      says: JSON.stringify(input),
      send: async ({ services }) => {
        const { id, campaignId, rewards, status } = await services.reversals.reverse(
          scene.tenantId,
          'eve',
          input,
        );
        model.reverse(id, returnUse);
        for (const { rewardNo, type, sourceId: facilityId, debt } of rewards) {
          if (type !== 'BALANCE') continue;
          // A debt of money reads "1.25 USD".
          const taken = new Money(amountOf(scene, campaignId, rewardNo)).minus(debt?.split(' ')[0] ?? 0);
          const account = { userId, facilityId, currency: 'USD' };
          model.move(`reversal ${id}:${rewardNo}`, account, taken.negated().toFixed());
        }
        return status;
      },
    };
  },
};

function amountOf({ campaigns }: Scene, campaignId: string, rewardNo: number): string {
  const amount = campaigns.find(({ id }) => id === campaignId)?.amounts[rewardNo];
  if (amount === undefined) throw new Error(`Campaign ${campaignId} has no reward ${rewardNo}.`);
  return amount;
}
