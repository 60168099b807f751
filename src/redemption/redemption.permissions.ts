import { EDITORS, NODES, STAFF, USERS, type Permissions, type Rule } from '../graphql/rule.js';

const READERS = { ...USERS, ...STAFF, PARTNER: ['redemptions:read'] } as const satisfies Rule;

export const REDEMPTION_PERMISSIONS: Permissions = {
  query: {
    previewRedemption: USERS,
    redemption: READERS,
    redemptions: READERS,
    attempts: STAFF,
    redemptionSeries: STAFF,
    campaignReport: STAFF,
    deadLetters: STAFF,
    tenantEventLetters: STAFF,
    eventCursor: { ...READERS, ...NODES },
  },
  mutation: {
    redeemCode: USERS,
    reverseRedemption: EDITORS,
    redriveDeadLetters: EDITORS,
  },
  subscription: {
    redemptionSettled: READERS,
    redemptionReversed: { ...USERS, ...STAFF },
  },
  http: { 'POST /api/redeem': USERS },
};
