import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  smallCountColumn,
  tenantColumn,
} from '../../platform/database/columns.js';
import { LEDGER_CAUSES, type LedgerCause } from '../give-back.js';

/** The points of a user. Its row is locked before any of the user's lots. */
const PointsAccountSchema = defineEntity({
  name: 'PointsAccount',
  tableName: 'points_account',
  checks: [{ name: 'ck_points_account__balance', expression: 'balance >= 0' }],
  properties: {
    tenantId: tenantColumn().primary(),
    userId: idColumn().primary(),
    /** What all lots have left, until the sweep also of those that have expired. Signed, so that the check judges it. */
    balance: p.bigint('number'),
    updatedAt: instantColumn(),
  },
});
export class PointsAccount extends PointsAccountSchema.class {}
PointsAccountSchema.setClass(PointsAccount);

/** Points that were granted together and expire together. */
const PointsLotSchema = defineEntity({
  name: 'PointsLot',
  tableName: 'points_lot',
  uniques: [
    { name: 'uq_points_lot__reward', properties: ['tenantId', 'redemptionId', 'rewardNo'] },
    { name: 'uq_points_lot__tenant_key', properties: ['tenantId', 'idempotencyKey'] },
  ],
  indexes: [
    // Finds the lots that have something left, however many were used up.
    { name: 'ix_points_lot__user_remaining', properties: ['tenantId', 'userId', 'remaining'] },
    // Of all tenants, for the sweep.
    { name: 'ix_points_lot__due', properties: ['dueAt'] },
  ],
  checks: [{ name: 'ck_points_lot__remaining', expression: 'remaining + spent <= granted' }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    userId: idColumn(),
    granted: countColumn(),
    remaining: countColumn(),
    /** By orders that have not given it back. What is neither remaining nor spent has expired or was taken back. */
    spent: countColumn(),
    /** The first instant at which they can no longer be spent; null means never. */
    expiresAt: instantColumn().nullable(),
    /** The reward that granted them; null where staff did. */
    redemptionId: idColumn().nullable(),
    rewardNo: smallCountColumn().nullable(),
    /** As {@link keyDigest} makes it. */
    idempotencyKey: p.string().length(64).nullable(),
    argumentsDigest: p.character().length(64).nullable(),
    createdAt: instantColumn(),
    /** Kept by the database: when what remains expires; null where nothing does. Only the sweep reads it. */
    dueAt: instantColumn()
      .nullable()
      .lazy()
      .generated('(case when remaining > 0 then expires_at end) stored'),
  },
});
export class PointsLot extends PointsLotSchema.class {}
PointsLotSchema.setClass(PointsLot);

/** What an order took from one lot, so that it can go back there. */
const OrderPointsSchema = defineEntity({
  name: 'OrderPoints',
  tableName: 'order_points',
  indexes: [{ name: 'ix_order_points__lot', properties: ['tenantId', 'lotId', 'orderId'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    orderId: idColumn().primary(),
    lotId: idColumn().primary(),
    points: countColumn(),
  },
});
export class OrderPoints extends OrderPointsSchema.class {}
OrderPointsSchema.setClass(OrderPoints);

export const POINTS_ACTIONS = ['GRANT', 'SPEND', 'GIVE_BACK', 'EXPIRE', 'REWARD_REVERSAL'] as const;
export type PointsAction = (typeof POINTS_ACTIONS)[number];

/** What happened to a user's points; never changed. The points of all rows sum up to the balance of the account. */
const PointsLedgerSchema = defineEntity({
  name: 'PointsLedger',
  tableName: 'points_ledger',
  uniques: [
    {
      name: 'uq_points_ledger__order_user_action',
      properties: ['tenantId', 'orderId', 'userId', 'action'],
    },
  ],
  indexes: [{ name: 'ix_points_ledger__user', properties: ['tenantId', 'userId', 'id'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    userId: idColumn(),
    action: p.enum(() => POINTS_ACTIONS).$type<PointsAction>(),
    /** Negative where the user has fewer afterwards. */
    points: p.bigint('number'),
    orderId: idColumn().nullable(),
    /** Null for an order, which may move several; `order_points` has them. */
    lotId: idColumn().nullable(),
    cause: p.enum(() => LEDGER_CAUSES).$type<LedgerCause>(),
    createdAt: instantColumn(),
  },
});
export class PointsLedger extends PointsLedgerSchema.class {}
PointsLedgerSchema.setClass(PointsLedger);
