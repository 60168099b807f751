import { deleteRows, lockUnheld, type RowKeys } from '../platform/database/delete-rows.js';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';

/** The pool of one campaign, at an instant. */
export interface PoolAt {
  readonly tenantId: string;
  readonly campaignId: Id;
  readonly now: Date;
}

/** Items that one transaction drops. */
const DROPPED_AT_ONCE = 1000;
/** By forced indexes, because a scan would lock items and codes of others, and wait for them. */
const ITEMS = `code_pool_item i force index (primary)
  straight_join code c force index (primary) on c.tenant_id = i.tenant_id and c.id = i.code_id`;
const OF_POOL = 'i.tenant_id = ? and i.campaign_id = ?';
/** Whether a receiver can still redeem the code, which has waited in the pool. */
const IS_ALIVE = `c.deleted_at is null and c.status = 'ACTIVE' and c.used = 0 and c.assigned_user_id is null
  and (c.expires_at is null or c.expires_at > ?) and c.batch_id not in (
    select b.id from code_batch b where b.tenant_id = ? and b.campaign_id = ? and b.voided_at is not null)`;

/** Whether a call passes over the rows that other calls hold, or waits to see whether they take them. */
export type HeldRows = 'SKIPPED' | 'AWAITED';

/**
 * Takes at most `count` codes out of the pool, oldest first, and locks them: no code goes to two calls. Raw SQL,
 * because the ORM has no `skip locked` for a join.
 */
export async function takeItems(em: Em, pool: PoolAt, count: number, heldRows: HeldRows): Promise<Id[]> {
  const { tenantId, campaignId, now } = pool;
  // The table is named: by itself, `codeId` would be the text that is selected, and order 10 before 9.
  const rows = await em.execute<{ codeId: Id }[]>(
    `select cast(i.code_id as char) as codeId from ${ITEMS} where ${OF_POOL} and ${IS_ALIVE}
      order by i.code_id limit ? for update ${heldRows === 'SKIPPED' ? 'skip locked' : ''}`,
    [tenantId, campaignId, now, tenantId, campaignId, count],
  );
  const ids = rows.map(({ codeId }) => codeId);
  await deleteRows(em, keysOf(pool, ids));
  return ids;
}

/**
 * Codes that no receiver could redeem leave the pool, some at once, so that others are made in their place. They are
 * looked for without locks, because those of a join would meet the locks of redemptions; and what another call holds is
 * left to that call.
 * @param afterId items up to this one were looked at
 * @returns the last item that was looked at; null at the end of the pool
 */
export async function dropDeadItems(em: Em, pool: PoolAt, afterId: Id): Promise<Id | null> {
  const { tenantId, campaignId, now } = pool;
  const rows = await em.execute<{ codeId: Id }[]>(
    `select cast(i.code_id as char) as codeId from ${ITEMS}
      where ${OF_POOL} and i.code_id > cast(? as unsigned) and not (${IS_ALIVE})
      order by i.code_id limit ${DROPPED_AT_ONCE}`,
    [tenantId, campaignId, afterId, now, tenantId, campaignId],
  );
  const dead = rows.map(({ codeId }) => codeId);
  await deleteRows(em, keysOf(pool, await lockUnheld(em, keysOf(pool, dead))));
  return dead.length < DROPPED_AT_ONCE ? null : (dead.at(-1) ?? null);
}

function keysOf({ tenantId, campaignId }: PoolAt, ids: readonly Id[]): RowKeys {
  const prefix = { tenant_id: tenantId, campaign_id: campaignId };
  return { table: 'code_pool_item', prefix, column: 'code_id', ids };
}
