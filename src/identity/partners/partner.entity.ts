import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn, versionColumn } from '../../platform/database/columns.js';

export const PARTNER_STATUSES = ['ACTIVE', 'DISABLED'] as const;
export type PartnerStatus = (typeof PARTNER_STATUSES)[number];

const PartnerSchema = defineEntity({
  name: 'Partner',
  tableName: 'partner',
  uniques: [{ name: 'uq_partner__tenant_name', properties: ['tenantId', 'name'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    name: p.string().length(64),
    status: p.enum(() => PARTNER_STATUSES).$type<PartnerStatus>(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class Partner extends PartnerSchema.class {}
PartnerSchema.setClass(Partner);
