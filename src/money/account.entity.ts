import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  moneyColumn,
  tenantColumn,
} from '../platform/database/columns.js';

/**
 * A user's account in one currency at one facility. Its key is what a change names, so that accounts are locked in primary-key
 * order without knowing them first.
 */
const AccountSchema = defineEntity({
  name: 'Account',
  tableName: 'money_account',
  uniques: [{ name: 'uq_money_account__id', properties: ['tenantId', 'id'] }],
  indexes: [{ name: 'ix_money_account__halted', properties: ['tenantId', 'haltedAt'] }],
  checks: [{ name: 'ck_money_account__balance', expression: 'balance >= 0' }],
  properties: {
    tenantId: tenantColumn().primary(),
    userId: idColumn().primary(),
    facilityId: idColumn().primary(),
    currency: p.string().length(8).primary(),
    id: idColumn(),
    balance: moneyColumn(),
    /** The number of its entries, and so the number of the last one. */
    entryNo: countColumn(),
    /** Since when nothing moves, because the last entry did not match the balance; null while it is in order. */
    haltedAt: instantColumn().nullable(),
    createdAt: instantColumn(),
  },
});
export class Account extends AccountSchema.class {}
AccountSchema.setClass(Account);
