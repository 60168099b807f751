import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, tenantColumn } from '../../platform/database/columns.js';

/** Which users have a tag, so that staff find them by it. The row of the user has all its tags, and decides. */
const UserTagSchema = defineEntity({
  name: 'UserTag',
  tableName: 'user_tag',
  properties: {
    tenantId: tenantColumn().primary(),
    tag: p.string().length(64).primary(),
    userId: idColumn().primary(),
  },
});
export class UserTag extends UserTagSchema.class {}
UserTagSchema.setClass(UserTag);
