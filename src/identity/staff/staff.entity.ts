import { defineEntity, p } from '@mikro-orm/core';
import { STAFF_ROLES, type StaffRole } from '../../graphql/actor.js';
import {
  countColumn,
  idColumn,
  instantColumn,
  tenantColumn,
  versionColumn,
} from '../../platform/database/columns.js';

/** INVITED has no password yet, or none any more. */
export const STAFF_STATUSES = ['INVITED', 'ACTIVE', 'DISABLED'] as const;
export type StaffStatus = (typeof STAFF_STATUSES)[number];

const StaffSchema = defineEntity({
  name: 'Staff',
  tableName: 'staff',
  uniques: [{ name: 'uq_staff__tenant_email', properties: ['tenantId', 'email'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    /** In small letters. */
    email: p.string().length(254),
    name: p.string().length(64),
    role: p.enum(() => STAFF_ROLES).$type<StaffRole>(),
    status: p.enum(() => STAFF_STATUSES).$type<StaffStatus>(),
    /** By argon2id, with its parameters; null until an invitation is accepted. */
    passwordHash: p.string().length(255).nullable(),
    /** Of the secret in the only invitation that works; null once it was accepted. */
    invitationDigest: p.string().length(43).nullable(),
    invitationExpiresAt: instantColumn().nullable(),
    /** Encrypted; of the second factor that is asked for. */
    totpSecret: p.string().length(255).nullable(),
    /** Encrypted; of one that was shown and is not confirmed yet. */
    totpPending: p.string().length(255).nullable(),
    /** The time step of the last code that was taken: a code is taken once. */
    totpStep: countColumn(),
    /** Of the recovery codes that are left; null without a second factor. */
    recoveryDigests: p.json().$type<string[]>().nullable(),
    signedInAt: instantColumn().nullable(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class Staff extends StaffSchema.class {}
StaffSchema.setClass(Staff);
