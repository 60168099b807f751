import { EDITORS, STAFF, type Permissions } from '../graphql/rule.js';

export const CODE_PERMISSIONS: Permissions = {
  query: {
    batch: STAFF,
    batches: STAFF,
    code: STAFF,
    codes: STAFF,
    codeImport: STAFF,
    codePool: STAFF,
  },
  mutation: {
    generateCodes: EDITORS,
    addCodes: EDITORS,
    cancelBatch: EDITORS,
    freezeBatch: EDITORS,
    unfreezeBatch: EDITORS,
    voidBatch: EDITORS,
    activateBatch: EDITORS,
    extendBatch: EDITORS,
    updateCode: EDITORS,
    setCodeEnabled: EDITORS,
    deleteCodes: EDITORS,
    importCodes: EDITORS,
    allocateCodes: EDITORS,
    setCodePool: EDITORS,
  },
  subscription: {
    batchProgress: STAFF,
  },
  http: {
    'PUT /api/imports/:id': EDITORS,
    'GET /api/imports/:id/refused.csv': STAFF,
    // Whole codes leave, so an AUDITOR may not ask.
    'GET /api/codes.csv': EDITORS,
    'GET /api/codes.qr.zip': EDITORS,
    'GET /api/codes.qr.html': EDITORS,
    'GET /api/codes/:id/qr.svg': EDITORS,
    'GET /api/codes/:id/qr.png': EDITORS,
  },
};
