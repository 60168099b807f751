import { EDITORS, PUBLIC, STAFF, USERS, type Permissions } from '../graphql/rule.js';

export const ORDER_PERMISSIONS: Permissions = {
  query: {
    order: { ...USERS, ...STAFF },
    orders: { ...USERS, ...STAFF },
    myCoupons: USERS,
    coupons: STAFF,
    couponTemplate: STAFF,
    couponTemplates: STAFF,
    myPoints: USERS,
    points: STAFF,
  },
  mutation: {
    placeOrder: USERS,
    payOrder: USERS,
    cancelOrder: { ...USERS, ...EDITORS },
    refundOrder: EDITORS,
    createCouponTemplate: EDITORS,
    updateCouponTemplate: EDITORS,
    issueCoupon: EDITORS,
    grantPoints: EDITORS,
  },
  subscription: {
    orderClosed: { ...USERS, ...STAFF },
  },
  http: {
    // The provider has no token: it signs the document, and the route checks the signature.
    'POST /api/payments/callback': PUBLIC,
  },
};
