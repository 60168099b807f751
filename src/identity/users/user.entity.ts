import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn, versionColumn } from '../../platform/database/columns.js';

export const USER_STATUSES = ['ACTIVE', 'DISABLED'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

const UserSchema = defineEntity({
  name: 'User',
  tableName: 'user',
  uniques: [{ name: 'uq_user__tenant_external', properties: ['tenantId', 'externalId'] }],
  indexes: [
    { name: 'ix_user__tenant_changed', properties: ['tenantId', 'changedAt'] },
    { name: 'ix_user__status', properties: ['tenantId', 'status', 'id'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    /** The user's id in the tenant's own system. */
    externalId: p.string().length(64),
    status: p.enum(() => USER_STATUSES).$type<UserStatus>(),
    /** Facts that reward conditions read, e.g. `['invited_user']`. */
    tags: p.json().$type<string[]>(),
    /** As of when the tags hold; null for a row without tags from a token or a caller. See `replaceTags`. */
    tagsAt: instantColumn().nullable(),
    version: versionColumn(),
    createdAt: instantColumn(),
    /** When the personal data were erased; from then on the row is an id alone. */
    erasedAt: instantColumn().nullable(),
    /** The server's own note of the last change of the row; null for one that was never changed. */
    changedAt: p
      .datetime()
      .columnType('timestamp(3)')
      .extra('on update current_timestamp(3)')
      .nullable()
      .lazy(),
  },
});
export class User extends UserSchema.class {}
UserSchema.setClass(User);
