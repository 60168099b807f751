import { EDITORS, STAFF, USERS, type Permissions } from '../graphql/rule.js';

export const MONEY_PERMISSIONS: Permissions = {
  query: {
    currencies: { ...USERS, ...STAFF },
    facilities: { ...USERS, ...STAFF },
    myBalances: USERS,
    accounts: STAFF,
    trialBalance: STAFF,
    entries: { ...USERS, ...STAFF },
    transfers: { ...USERS, ...STAFF },
  },
  mutation: {
    createCurrency: EDITORS,
    updateCurrency: EDITORS,
    createFacility: EDITORS,
    updateFacility: EDITORS,
    adjustBalance: EDITORS,
    releaseAccount: EDITORS,
    transfer: USERS,
  },
};
