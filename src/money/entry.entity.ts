import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  moneyColumn,
  tenantColumn,
} from '../platform/database/columns.js';
import { frozenRows } from '../platform/database/frozen-rows.js';

export const ENTRY_TYPES = [
  'ADJUSTMENT',
  'TRANSFER_OUT',
  'TRANSFER_IN',
  'FEE',
  'RECHARGE',
  'PAYMENT',
  'REFUND',
  'REWARD',
  'REWARD_REVERSAL',
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** One movement of one account. Triggers of the database refuse to change or to delete it. */
const EntrySchema = defineEntity({
  name: 'Entry',
  tableName: 'money_entry',
  triggers: [frozenRows('money_entry')],
  uniques: [
    { name: 'uq_money_entry__order', properties: ['tenantId', 'accountId', 'orderId', 'type'] },
    { name: 'uq_money_entry__no', properties: ['tenantId', 'accountId', 'entryNo'] },
  ],
  indexes: [{ name: 'ix_money_entry__user', properties: ['tenantId', 'userId', 'id'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    accountId: idColumn(),
    /** From 1, without gaps. Clocks differ, so ids do not tell which entry of an account is the last. */
    entryNo: countColumn(),
    userId: idColumn(),
    facilityId: idColumn(),
    currency: p.string().length(8),
    type: p.enum(() => ENTRY_TYPES).$type<EntryType>(),
    /** What it was moved for; the transfer's id for both entries of a transfer. */
    orderId: p.string().length(64),
    before: moneyColumn().fieldName('balance_before'),
    amount: moneyColumn(),
    after: moneyColumn().fieldName('balance_after'),
    remark: p.string().length(255).nullable(),
    extra: p.json().$type<Record<string, unknown>>().nullable(),
    createdAt: instantColumn(),
  },
});
export class Entry extends EntrySchema.class {}
EntrySchema.setClass(Entry);
