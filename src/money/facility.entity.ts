import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn, versionColumn } from '../platform/database/columns.js';

/** Where money is kept and spent: a shop, a branch, a game. A user has an account for each currency in each of them. */
const FacilitySchema = defineEntity({
  name: 'Facility',
  tableName: 'facility',
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    name: p.string().length(64),
    enabled: p.boolean(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class Facility extends FacilitySchema.class {}
FacilitySchema.setClass(Facility);
