import { defineEntity, p } from '@mikro-orm/core';
import {
  idColumn,
  instantColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../../platform/database/columns.js';

/** One operation as the partner's compiler wrote it. */
export interface RegisteredOperation {
  /** The compiler's hash of its own normalised text, or another name; taken as it was given. */
  readonly id: string;
  readonly name: string | null;
  readonly type: 'query' | 'mutation' | 'subscription';
  readonly text: string;
}

/** All operations that a partner may run; an upload replaces them together. */
const PartnerOperationsSchema = defineEntity({
  name: 'PartnerOperations',
  tableName: 'partner_operations',
  properties: {
    tenantId: tenantColumn().primary(),
    partnerId: idColumn().primary(),
    operations: p.json().$type<RegisteredOperation[]>().lazy(),
    operationCount: smallCountColumn(),
    version: versionColumn(),
    registeredAt: instantColumn(),
    registeredBy: p.string().length(64),
  },
});
export class PartnerOperations extends PartnerOperationsSchema.class {}
PartnerOperationsSchema.setClass(PartnerOperations);
