import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  smallCountColumn,
  tenantColumn,
} from '../../platform/database/columns.js';
import { IMPORT_LINE_REFUSALS, type ImportLineRefusal } from './code-import.errors.js';

/** One file of codes from another system. It has the id of its batch. */
const CodeImportSchema = defineEntity({
  name: 'CodeImport',
  tableName: 'code_import',
  indexes: [{ name: 'ix_code_import__waiting', properties: ['finishedAt', 'refusal', 'uploadId'] }],
  uniques: [{ name: 'uq_code_import__tenant_key', properties: ['tenantId', 'idempotencyKey'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    campaignId: idColumn(),
    /** The last line of the file that is done: a run after an interrupted one continues behind it. */
    linesDone: countColumn(),
    imported: countColumn(),
    refused: countColumn(),
    /** Digest of the lines that are done, so that an import is not continued with another file. */
    linesDigest: p.character().length(64).nullable(),
    /** The upload whose parts are the file; null until all of it is there. */
    uploadId: idColumn().nullable(),
    /** How many parts the file has; null also for a file that an older version of the program has stored. */
    parts: smallCountColumn().nullable(),
    /** Why it has stopped: the refusal that the last run ended with, or an {@link ImportFailure}. */
    refusal: p.string().length(64).nullable(),
    progressAt: instantColumn(),
    /** As {@link keyDigest} makes it. */
    idempotencyKey: p.string().length(64),
    argumentsDigest: p.character().length(64),
    createdAt: instantColumn(),
    /** Null while lines are missing. */
    finishedAt: instantColumn().nullable(),
  },
});
export class CodeImport extends CodeImportSchema.class {}
CodeImportSchema.setClass(CodeImport);

/** A line that was not taken. What it says is not kept: it may be a code. */
const CodeImportRefusalSchema = defineEntity({
  name: 'CodeImportRefusal',
  tableName: 'code_import_refusal',
  properties: {
    tenantId: tenantColumn().primary(),
    importId: idColumn().primary(),
    line: p.integer().unsigned().primary(),
    reason: p.enum(() => IMPORT_LINE_REFUSALS).$type<ImportLineRefusal>(),
  },
});
export class CodeImportRefusal extends CodeImportRefusalSchema.class {}
CodeImportRefusalSchema.setClass(CodeImportRefusal);

/** A piece of an uploaded file, encrypted; deleted when the import is finished. */
const CodeImportPartSchema = defineEntity({
  name: 'CodeImportPart',
  tableName: 'code_import_part',
  properties: {
    tenantId: tenantColumn().primary(),
    importId: idColumn().primary(),
    uploadId: idColumn().primary(),
    partNo: p.integer().unsigned().primary(),
    body: p.blob().columnType('mediumblob'),
  },
});
export class CodeImportPart extends CodeImportPartSchema.class {}
CodeImportPartSchema.setClass(CodeImportPart);
