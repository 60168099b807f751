import { defineEntity, p } from '@mikro-orm/core';
import { UTC } from '../platform/zoned-time.js';
import { countColumn, instantColumn, versionColumn } from '../platform/database/columns.js';

export const TENANT_TYPES = ['PLATFORM', 'CHANNEL'] as const;
export type TenantType = (typeof TENANT_TYPES)[number];

export const TENANT_STATUSES = ['ACTIVE', 'DISABLED'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

const TenantSchema = defineEntity({
  name: 'Tenant',
  tableName: 'tenant',
  properties: {
    /** Short text key, e.g. `CH_123`. */
    id: p.string().length(24).primary(),
    name: p.string().length(64),
    type: p.enum(() => TENANT_TYPES).$type<TenantType>(),
    status: p.enum(() => TENANT_STATUSES).$type<TenantStatus>(),
    /** How many codes may be issued; 0 means no limit. */
    codeQuota: countColumn(),
    /** Codes issued and not given back; moved only by conditional updates. */
    codesIssued: countColumn(),
    /** By its name in the IANA database: in it days begin, and conditions read the time. */
    timeZone: p.string().length(64).default(UTC),
    version: versionColumn(),
    /** The version in the tenant directory that name, type and status are of; 0 where it has told none. */
    directoryVersion: countColumn().defaultRaw('0'),
    /** When the directory last answered for this tenant. */
    directoryCheckedAt: instantColumn().nullable(),
    createdAt: instantColumn(),
  },
});
export class Tenant extends TenantSchema.class {}
TenantSchema.setClass(Tenant);
