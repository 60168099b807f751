import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, tenantColumn } from '../platform/database/columns.js';

/** The key of a user's personal data in audit entries. The erasure deletes it, and with it the way to read them. */
const UserSealSchema = defineEntity({
  name: 'UserSeal',
  tableName: 'user_seal',
  properties: {
    tenantId: tenantColumn().primary(),
    userId: idColumn().primary(),
    /** 32 bytes in base64url. */
    secret: p.string().length(43),
  },
});
export class UserSeal extends UserSealSchema.class {}
UserSealSchema.setClass(UserSeal);
