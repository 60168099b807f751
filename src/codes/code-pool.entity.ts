import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, smallCountColumn, tenantColumn } from '../platform/database/columns.js';

/** A campaign's stock of codes made ahead, which a job keeps full. */
const CodePoolSchema = defineEntity({
  name: 'CodePool',
  tableName: 'code_pool',
  properties: {
    tenantId: tenantColumn().primary(),
    campaignId: idColumn().primary(),
    /** How many free codes there are to be; 0 fills it no more. */
    size: smallCountColumn(),
    /** Code of the refusal that the last refill met. */
    refusal: p.string().length(64).nullable(),
    createdAt: instantColumn(),
  },
});
export class CodePool extends CodePoolSchema.class {}
CodePoolSchema.setClass(CodePool);

/** A free code of a pool. Who deletes this row hands the code out. */
const CodePoolItemSchema = defineEntity({
  name: 'CodePoolItem',
  tableName: 'code_pool_item',
  properties: {
    tenantId: tenantColumn().primary(),
    campaignId: idColumn().primary(),
    codeId: idColumn().primary(),
  },
});
export class CodePoolItem extends CodePoolItemSchema.class {}
CodePoolItemSchema.setClass(CodePoolItem);
