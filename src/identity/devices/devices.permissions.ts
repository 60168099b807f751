import { EDITORS, PUBLIC, STAFF, USERS, type Permissions } from '../../graphql/rule.js';

export const DEVICE_PERMISSIONS: Permissions = {
  query: {
    myDevices: USERS,
    devices: STAFF,
  },
  mutation: {
    // Callers of these have no token yet, or an expired one.
    deviceLogin: PUBLIC,
    refreshDeviceSession: PUBLIC,
    signOutDevice: USERS,
    createDeviceLinkCode: { ...USERS, ...EDITORS },
    unbindDevice: { ...USERS, ...EDITORS },
    setDeviceEnabled: EDITORS,
  },
  subscription: {
    sessionRevoked: { ...USERS, ...STAFF },
  },
};
