import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, moneyColumn, tenantColumn } from '../platform/database/columns.js';
import { frozenRows } from '../platform/database/frozen-rows.js';
import { ENTRY_TYPES, type EntryType } from './entry.entity.js';

/** What the tenant's own accounts are for. */
export const SYSTEM_PURPOSES = ['ISSUE', 'FEE', 'REVENUE', 'RECHARGE', 'REWARD'] as const;
export type SystemPurpose = (typeof SYSTEM_PURPOSES)[number];

/**
 * The counterpart of a movement, in an account of the tenant itself: with it the ledger sums to zero. It bears the id of
 * the entry, or of the transfer, that it belongs to. Such accounts have no balance and no chain, so that movements of all
 * users do not wait for one row; what is in them is the sum of their entries.
 */
const SystemEntrySchema = defineEntity({
  name: 'SystemEntry',
  tableName: 'system_entry',
  triggers: [frozenRows('system_entry')],
  indexes: [
    {
      name: 'ix_system_entry__account',
      properties: ['tenantId', 'facilityId', 'currency', 'purpose', 'amount'],
    },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    facilityId: idColumn(),
    currency: p.string().length(8),
    purpose: p.enum(() => SYSTEM_PURPOSES).$type<SystemPurpose>(),
    type: p.enum(() => ENTRY_TYPES).$type<EntryType>(),
    orderId: p.string().length(64),
    amount: moneyColumn(),
    createdAt: instantColumn(),
  },
});
export class SystemEntry extends SystemEntrySchema.class {}
SystemEntrySchema.setClass(SystemEntry);
