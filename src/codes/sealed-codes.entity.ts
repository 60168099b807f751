import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, idColumn, tenantColumn } from '../platform/database/columns.js';

/** Codes of a large batch whose campaign stores no texts, encrypted, until they have been handed out. */
const SealedCodesSchema = defineEntity({
  name: 'SealedCodesRow',
  tableName: 'sealed_codes',
  properties: {
    tenantId: tenantColumn().primary(),
    batchId: idColumn().primary(),
    /** How many codes of the batch lie before these. */
    firstNo: countColumn().primary(),
    /** Of the pepper that the key of the encryption is made of. */
    keyId: p.tinyint().unsigned(),
    sealed: p.blob().columnType('mediumblob'),
  },
});
export class SealedCodesRow extends SealedCodesSchema.class {}
SealedCodesSchema.setClass(SealedCodesRow);
