import { EDITORS, OWNERS, PUBLIC, STAFF, USERS, type Permissions } from '../graphql/rule.js';

export const IDENTITY_PERMISSIONS: Permissions = {
  query: {
    viewer: PUBLIC,
    user: STAFF,
    users: STAFF,
    staff: STAFF,
    mySessions: USERS,
    // Those of others for OWNER alone.
    staffSessions: STAFF,
  },
  mutation: {
    createUserToken: { ...EDITORS, PARTNER: ['redeem'] },
    updateUser: EDITORS,
    eraseUser: OWNERS,
    inviteStaff: OWNERS,
    resetStaff: OWNERS,
    updateStaff: OWNERS,
    // Callers of these have no token yet.
    signInStaff: PUBLIC,
    beginStaffOidc: PUBLIC,
    completeStaffOidc: PUBLIC,
    refreshStaffSession: PUBLIC,
    acceptStaffInvitation: PUBLIC,
    endSession: { ...USERS, ...STAFF },
    signOutStaff: STAFF,
    changeStaffPassword: STAFF,
    enrolSecondFactor: STAFF,
    confirmSecondFactor: STAFF,
    removeSecondFactor: STAFF,
    regenerateRecoveryCodes: STAFF,
  },
};
