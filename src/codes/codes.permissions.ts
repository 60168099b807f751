import { EDITORS, STAFF, type Permissions, type Rule } from '../graphql/rule.js';

const READERS = { ...STAFF, PARTNER: ['codes:read'] } as const satisfies Rule;
const SELLERS = { ...EDITORS, PARTNER: ['codes:sell'] } as const satisfies Rule;

export const CODE_PERMISSIONS: Permissions = {
  query: {
    batch: READERS,
    batches: READERS,
    code: READERS,
    codes: READERS,
    codeImport: STAFF,
    codePool: READERS,
  },
  mutation: {
    generateCodes: { ...EDITORS, PARTNER: ['codes:generate'] },
    addCodes: EDITORS,
    cancelBatch: EDITORS,
    freezeBatch: EDITORS,
    unfreezeBatch: EDITORS,
    voidBatch: EDITORS,
    activateBatch: SELLERS,
    extendBatch: EDITORS,
    updateCode: EDITORS,
    setCodeEnabled: EDITORS,
    deleteCodes: EDITORS,
    importCodes: EDITORS,
    allocateCodes: SELLERS,
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
