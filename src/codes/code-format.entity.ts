import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, idColumn, instantColumn, tenantColumn } from '../platform/database/columns.js';
import type { CodeFormat } from './code-format.js';

/** The shapes that codes of a tenant have; what fits none of them is refused before any look-up. */
const CodeFormatRowSchema = defineEntity({
  name: 'CodeFormatRow',
  tableName: 'code_format',
  uniques: [{ name: 'uq_code_format__tenant_signature', properties: ['tenantId', 'signature'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    /** Digest of the format, so that many campaigns with the same rule share one row. */
    signature: p.character().length(64),
    format: p.json().$type<CodeFormat>(),
    /** Random codes of this format that were issued and neither deleted nor voided, in campaigns that have not ended. */
    live: countColumn().defaultRaw('0'),
    createdAt: instantColumn(),
  },
});
export class CodeFormatRow extends CodeFormatRowSchema.class {}
CodeFormatRowSchema.setClass(CodeFormatRow);
