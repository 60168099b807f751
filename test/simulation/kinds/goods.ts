import type { IssueCouponRefusal } from '../../../src/orders/coupons/coupon.errors.js';
import type { GrantPointsRefusal } from '../../../src/orders/points/points.errors.js';
import { emOf } from '../../support/world.js';
import type { Kind } from '../kind.js';

export const ISSUE_COUPONS: Kind = {
  name: 'ISSUE_COUPONS',
  weight: 6,
  refusals: ['ISSUE_LIMIT_REACHED'] satisfies readonly IssueCouponRefusal[],
  make: ({ scene, known, model, draw, name }) => {
    const userId = known.user(draw);
    const templateId = draw.pick(scene.templateIds);
    const input = {
      templateId,
      userId,
      count: draw.between(1, 2),
      ...(draw.chance(0.5) && { idempotencyKey: name }),
    };
    return {
      says: JSON.stringify(input),
      send: async ({ services }) => {
        const { coupons, replayed } = await services.couponIssues.issue(scene.tenantId, input);
        const ids = coupons.map(({ id }) => id).toSorted();
        if ('idempotencyKey' in input) model.isNew(`coupons of key ${name}`, ids.join(' '));
        for (const id of ids) {
          model.issueCoupon(id, userId, templateId);
          known.of(userId).coupons.add(id);
        }
        return replayed ? 'REPLAYED' : 'ISSUED';
      },
    };
  },
};

/** For ever, for days, or for so short a time that they expire while orders hold them. */
export const GRANT_POINTS: Kind = {
  name: 'GRANT_POINTS',
  weight: 6,
  refusals: ['POINTS_EXPIRY_PAST'] satisfies readonly GrantPointsRefusal[],
  make: ({ scene, known, model, draw, name }) => {
    const userId = known.user(draw);
    const lifeMs = draw.between(20, 2000);
    const isShort = draw.chance(0.4);
    const amount = draw.between(10, 120);
    const key = draw.chance(0.5) ? { idempotencyKey: name } : {};
    // Sent again it asks for the same instant: it is another request else, and its key is refused.
    let expiresAt: string | null = null;
    return {
      says: `${amount} to ${userId}${isShort ? ` for ${lifeMs} ms` : ''}`,
      send: async ({ services }) => {
        expiresAt ??= isShort ? new Date(services.clock.nowMs() + lifeMs).toISOString() : null;
        const { lot, replayed } = await services.pointsGrants.grant(scene.tenantId, {
          userId,
          amount,
          ...key,
          ...(expiresAt !== null && { expiresAt }),
        });
        if ('idempotencyKey' in key) model.isNew(`points of key ${name}`, lot.id);
        model.grantPoints(lot.id, userId, lot.granted);
        return replayed ? 'REPLAYED' : 'GRANTED';
      },
    };
  },
};

/** Some time passes for one coupon, and what is over is swept. */
export const EXPIRE_COUPONS: Kind = {
  name: 'EXPIRE_COUPONS',
  weight: 2,
  refusals: [],
  make: ({ scene: { tenantId }, known, draw }) => {
    const couponId = known.of(known.user(draw)).coupons.pick(draw) ?? '0';
    const isOver = draw.chance(0.5);
    return {
      says: isOver ? couponId : 'what is over',
      send: async (world) => {
        const sql = 'update user_coupon set expires_at = utc_timestamp(3) where tenant_id = ? and id = ?';
        if (isOver) await emOf(world, tenantId).execute(sql, [tenantId, couponId]);
        return (await world.services.couponExpiry.run()) > 0 ? 'EXPIRED' : 'NONE';
      },
    };
  },
};

export const EXPIRE_POINTS: Kind = {
  name: 'EXPIRE_POINTS',
  weight: 3,
  refusals: [],
  make: () => ({
    says: 'what is over',
    send: async ({ services }) => ((await services.pointsExpiry.run()) > 0 ? 'EXPIRED' : 'NONE'),
  }),
};
