import { defineEntity, p } from '@mikro-orm/core';
import {
  idColumn,
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
} from '../platform/database/columns.js';

/** A day of the configured time zone, e.g. `2026-11-29`: days compare as their texts do. */
const dayColumn = () => p.string().length(10);

/** Money that went from one user to another. */
const TransferSchema = defineEntity({
  name: 'Transfer',
  tableName: 'money_transfer',
  uniques: [{ name: 'uq_money_transfer__order', properties: ['tenantId', 'fromUserId', 'orderId'] }],
  indexes: [
    { name: 'ix_money_transfer__from', properties: ['tenantId', 'fromUserId', 'id'] },
    { name: 'ix_money_transfer__to', properties: ['tenantId', 'toUserId', 'id'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    /** The sender's own key: one transfer, whatever its currency and facility. */
    orderId: p.string().length(64),
    fromUserId: idColumn(),
    toUserId: idColumn(),
    facilityId: idColumn(),
    currency: p.string().length(8),
    /** What the sender paid: fee and net. */
    amount: moneyColumn(),
    fee: moneyColumn(),
    net: moneyColumn(),
    /** The day on whose limits it counts. */
    day: dayColumn(),
    createdAt: instantColumn(),
  },
});
export class Transfer extends TransferSchema.class {}
TransferSchema.setClass(Transfer);

/** What a user has transferred of a currency on the latest day, behind the daily limits. */
const TransferDaySchema = defineEntity({
  name: 'TransferDay',
  tableName: 'transfer_day',
  properties: {
    tenantId: tenantColumn().primary(),
    userId: idColumn().primary(),
    currency: p.string().length(8).primary(),
    day: dayColumn(),
    count: smallCountColumn(),
    sum: moneyColumn(),
  },
});
export class TransferDay extends TransferDaySchema.class {}
TransferDaySchema.setClass(TransferDay);
