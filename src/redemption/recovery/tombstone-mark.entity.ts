import { defineEntity } from '@mikro-orm/core';
import { idColumn, tenantColumn } from '../../platform/database/columns.js';

/**
 * How far the old tombstones of a tenant are deleted. An index of tombstones would cost every redemption an entry;
 * so the table is walked by its primary key, which is in order of time, and no part of it twice.
 */
const TombstoneMarkSchema = defineEntity({
  name: 'TombstoneMark',
  tableName: 'tombstone_mark',
  properties: {
    tenantId: tenantColumn().primary(),
    /** There are no tombstones up to this id. */
    clearedToId: idColumn(),
  },
});
export class TombstoneMark extends TombstoneMarkSchema.class {}
TombstoneMarkSchema.setClass(TombstoneMark);
