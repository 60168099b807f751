import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, smallCountColumn, tenantColumn } from '../platform/database/columns.js';

/** What is stored. That a code is used up follows from its counters and is not stored twice. */
export const CODE_STATUSES = ['INACTIVE', 'ACTIVE', 'DISABLED'] as const;
export type CodeStatus = (typeof CODE_STATUSES)[number];

/** What `canonicalize` makes of letters, digits and hyphens, but for the case, which the collation ignores. */
const folded = (text: string): string =>
  `(${['O0', 'o0', 'I1', 'i1', 'L1', 'l1'].reduce(
    (sql, [letter, digit]) => `replace(${sql}, '${letter}', '${digit}')`,
    text,
  )}) virtual`;
const searchColumn = (length: number) =>
  p.string().length(length).collation('utf8mb4_general_ci').nullable().lazy();

/**
 * Partitioned by tenant, which allows no foreign key to it and wants the tenant in every unique key. No index but the
 * primary key begins with the tenant: in a tenant of few codes an UPDATE by primary key would go through it, lock its
 * entry before the row, and so meet in a deadlock with all who lock the row first.
 */
const CodeSchema = defineEntity({
  name: 'Code',
  tableName: 'code',
  uniques: [{ name: 'uq_code__tenant_digest', properties: ['codeDigest', 'tenantId'] }],
  indexes: [
    { name: 'ix_code__campaign', properties: ['campaignId', 'id'] },
    { name: 'ix_code__batch', properties: ['batchId', 'id'] },
    { name: 'ix_code__tenant_text', properties: ['tenantText'] },
    { name: 'ix_code__canonical_tail', properties: ['canonicalTail'] },
    // Without the counters: an index that holds them would cost every redemption a page and a tenth of its commit.
    {
      name: 'ix_code__state',
      properties: ['campaignId', 'status', 'assignedUserId', 'startsAt', 'expiresAt', 'batchId', 'deletedAt'],
    },
  ],
  checks: [{ name: 'ck_code__used', expression: 'use_limit = 0 or used <= use_limit' }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    /** HMAC-SHA-256 of the canonical code, 32 bytes as base64url: a code is looked up by nothing else. */
    codeDigest: p.character().length(43),
    /** Which pepper made the digest, so that peppers can be rotated. */
    digestKeyId: p.tinyint().unsigned(),
    /** As it was issued; null for campaigns that keep only digests. */
    codeText: p.string().length(40).nullable(),
    /** As printed; of HASHED codes from before version 20261128060001 of the schema in capitals, with O, I, L as 0, 1, 1. */
    lastFour: p.character().length(4),
    /** What staff search: whole where the text is kept, */
    canonicalText: searchColumn(40).generated(folded("replace(code_text, '-', '')")),
    /** the same behind its tenant, for an index that leads to the codes of one tenant, */
    tenantText: searchColumn(65).generated("(concat(tenant_id, ' ', canonical_text)) virtual"),
    /** else its last four. */
    canonicalTail: searchColumn(4).generated(folded('rtrim(last_four)')),
    campaignId: idColumn(),
    batchId: idColumn(),
    status: p.enum(() => CODE_STATUSES).$type<CodeStatus>(),
    /** 0 means unlimited. */
    useLimit: smallCountColumn(),
    used: smallCountColumn().default(0),
    /** The highest use number ever given; numbers are never given twice. */
    lastUseNo: smallCountColumn().default(0),
    startsAt: instantColumn().nullable(),
    /** The first instant at which it is no longer valid. */
    expiresAt: instantColumn().nullable(),
    /** Only this user may redeem it; null means every user. */
    assignedUserId: idColumn().nullable(),
    /** Raised by every change, so that older copies in Redis are recognised. */
    version: smallCountColumn().default(1),
    issuedAt: instantColumn(),
    deletedAt: instantColumn().nullable(),
  },
});
export class Code extends CodeSchema.class {}
CodeSchema.setClass(Code);
