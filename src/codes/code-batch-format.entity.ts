import { defineEntity } from '@mikro-orm/core';
import { countColumn, idColumn, tenantColumn } from '../platform/database/columns.js';

/** How many live codes of which format a batch has, so that they can be taken off again with the batch. */
const CodeBatchFormatSchema = defineEntity({
  name: 'CodeBatchFormat',
  tableName: 'code_batch_format',
  properties: {
    tenantId: tenantColumn().primary(),
    batchId: idColumn().primary(),
    formatId: idColumn().primary(),
    live: countColumn(),
  },
});
export class CodeBatchFormat extends CodeBatchFormatSchema.class {}
CodeBatchFormatSchema.setClass(CodeBatchFormat);
