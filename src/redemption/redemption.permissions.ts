import { EDITORS, STAFF, USERS, type Permissions } from '../graphql/rule.js';

export const REDEMPTION_PERMISSIONS: Permissions = {
  query: {
    previewRedemption: USERS,
    redemption: { ...USERS, ...STAFF },
    redemptions: { ...USERS, ...STAFF },
    attempts: STAFF,
    deadLetters: STAFF,
  },
  mutation: {
    redeemCode: USERS,
    reverseRedemption: EDITORS,
    redriveDeadLetters: EDITORS,
  },
  subscription: {
    redemptionSettled: { ...USERS, ...STAFF },
    redemptionReversed: { ...USERS, ...STAFF },
  },
  http: { 'POST /api/redeem': USERS },
};
