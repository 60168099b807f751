import { writeTogether } from '../platform/database/execute-together.js';
import { insertRows } from '../platform/database/insert-rows.js';
import type { Em } from '../platform/database/orm.js';
import type { DayUse } from './transfer-day.js';
import type { Transfer } from './transfer.entity.js';

/** The transfer, and the day's use with it; the row of the day is locked. */
export async function writeTransfer(em: Em, transfer: Transfer, { day, count, sum }: DayUse): Promise<void> {
  const { tenantId, fromUserId, currency } = transfer;
  await Promise.all([
    insertRows(em, 'money_transfer', [
      {
        tenant_id: tenantId,
        id: transfer.id,
        order_id: transfer.orderId,
        from_user_id: fromUserId,
        to_user_id: transfer.toUserId,
        facility_id: transfer.facilityId,
        currency,
        amount: transfer.amount,
        fee: transfer.fee,
        net: transfer.net,
        day,
        created_at: transfer.createdAt,
      },
    ]),
    writeTogether(
      em,
      'update transfer_day set day = ?, `count` = ?, `sum` = ? where tenant_id = ? and user_id = ? and currency = ?',
      [day, count, sum.toFixed(), tenantId, fromUserId, currency],
    ),
  ]);
}
