import { defineEntity, p } from '@mikro-orm/core';
import { instantColumn } from '../platform/database/columns.js';

/**
 * PENDING: configured, but no code was made with it yet. ACTIVE: new codes are made with it; one pepper is.
 * RETIRING: no new codes, but some are left. RETIRED: no code needs it.
 */
export const PEPPER_STATES = ['PENDING', 'ACTIVE', 'RETIRING', 'RETIRED'] as const;
export type PepperState = (typeof PEPPER_STATES)[number];

/** The peppers that digests were made with, by one-way fingerprints. Of the installation, not of a tenant. */
const CodePepperSchema = defineEntity({
  name: 'CodePepper',
  tableName: 'code_pepper',
  uniques: [{ name: 'uq_code_pepper__fingerprint', properties: ['fingerprint'] }],
  properties: {
    /** As in `code.digest_key_id`. */
    keyId: p.tinyint().unsigned().primary().autoincrement(false),
    fingerprint: p.character().length(43),
    state: p.enum(() => PEPPER_STATES).$type<PepperState>(),
    createdAt: instantColumn(),
  },
});
export class CodePepper extends CodePepperSchema.class {}
CodePepperSchema.setClass(CodePepper);
