import type { RewardPlace } from '../../campaigns/campaign-rewards.service.js';
import { Code } from '../../codes/code.entity.js';
import { cutPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import type { Em } from '../../platform/database/orm.js';
import { firstIdAt, type Id } from '../../platform/ids.js';
import { daysWithin } from './days.js';
import { sumOfTotals, type CountedFilter } from './redemption-totals.js';
import { Redemption } from './redemption.entity.js';

export interface RedemptionListFilter extends CountedFilter {
  readonly userId?: Id;
  readonly codeId?: Id;
  /** Half-open, by the instant of the claim. */
  readonly from?: Date;
  readonly before?: Date;
  /** At one of these product lines. */
  readonly productCodes?: readonly string[];
  /** The codes that it was of, as a statement that finds their ids. */
  readonly codes?: { readonly sql: string; readonly params: readonly unknown[] };
}

/** An id is made before its claim, which waits at most seconds for others; clocks may differ as well. */
const ID_BEFORE_CLAIM_MS = 10 * 60_000;

type Condition = readonly [sql: string, ...params: unknown[]] | false;

/** One page, newest first; tombstones are not shown. Raw SQL, because what was given is in another table. */
export async function findRedemptions(
  em: Em,
  tenantId: string,
  filter: RedemptionListFilter,
  { offset, size, afterId = null, isCounted = true }: PageRange,
): Promise<Page<Redemption>> {
  const { where, params } = conditionsOf(tenantId, filter);
  const behind = afterId === null ? '' : ' and r.id < ?';
  const found = await em.execute<{ id: Id }[]>(
    `select cast(r.id as char) as id from redemption r where ${where}${behind} order by r.id desc limit ? offset ?`,
    [...params, ...(afterId === null ? [] : [afterId]), size + 1, afterId === null ? offset : 0],
  );
  const { items: ids, next } = cutPage(found, size);
  const items = await em.find(
    Redemption,
    { id: { $in: ids.map(({ id }) => id) } },
    { orderBy: { id: 'desc' }, disableIdentityMap: true },
  );
  const isEnd = next === null && afterId === null && (items.length > 0 || offset === 0);
  if (isEnd || !isCounted) return { total: isEnd ? offset + items.length : 0, items, next };
  return { total: await totalOf(em, tenantId, filter), items, next };
}

async function totalOf(em: Em, tenantId: string, filter: RedemptionListFilter): Promise<number> {
  const { userId, codeId, codes, productCodes, from, before, ...counted } = filter;
  if (userId !== undefined || codes !== undefined || productCodes !== undefined)
    return countRows(em, tenantId, filter);
  if (codeId !== undefined) {
    const isAll = Object.keys(filter).length === 1;
    return isAll ? lastUseNoOf(em, codeId) : countRows(em, tenantId, filter);
  }
  const { whole, rest } = daysWithin(from, before);
  const sums = [whole === null ? 0 : await sumOfTotals(em, tenantId, counted, whole)];
  for (const times of rest) sums.push(await countRows(em, tenantId, { ...counted, ...times }));
  return sums.reduce((total, sum) => total + sum);
}

async function countRows(em: Em, tenantId: string, filter: RedemptionListFilter): Promise<number> {
  const { where, params } = conditionsOf(tenantId, filter);
  const [{ total }] = await em.execute<[{ total: number }]>(
    `select count(*) as total from redemption r where ${where}`,
    params,
  );
  return total;
}

/** Use numbers of a code have no gaps, and reversed redemptions keep theirs. */
async function lastUseNoOf(em: Em, codeId: Id): Promise<number> {
  const code = await em.findOne(Code, { id: codeId }, { fields: ['lastUseNo'], disableIdentityMap: true });
  return code?.lastUseNo ?? 0;
}

function conditionsOf(tenantId: string, filter: RedemptionListFilter): { where: string; params: unknown[] } {
  const { userId, codeId, campaignId, batchId, status, from, before, places, codes, productCodes } = filter;
  const conditions: Condition[] = [
    ['r.tenant_id = ?', tenantId],
    status === undefined ? ["r.status <> 'ABORTED'"] : ['r.status = ?', status],
    userId !== undefined && ['r.user_id = ?', userId],
    codeId !== undefined && ['r.code_id = ?', codeId],
    campaignId !== undefined && ['r.campaign_id = ?', campaignId],
    batchId !== undefined && ['r.batch_id = ?', batchId],
    from !== undefined && [
      'r.id >= ? and r.claimed_at >= ?',
      firstIdAt(from.getTime() - ID_BEFORE_CLAIM_MS),
      from,
    ],
    before !== undefined && [
      'r.id < ? and r.claimed_at < ?',
      firstIdAt(before.getTime() + ID_BEFORE_CLAIM_MS),
      before,
    ],
    productCodes !== undefined && ['r.product_code in (?)', productCodes],
    codes !== undefined && [`r.code_id in (select id from (${codes.sql}) wanted)`, ...codes.params],
    places !== undefined && given(places),
  ];
  const all = conditions.filter((condition) => condition !== false);
  return { where: all.map(([sql]) => sql).join(' and '), params: all.flatMap(([, ...params]) => params) };
}

/** The campaigns lead to the rows by an index; which of their rewards a user got is in the grants. */
function given(places: readonly RewardPlace[]): Condition {
  // Ids are sent as text, and MariaDB compares text with numbers as doubles inside rows; see `campaign-usage.service.ts`.
  const pairs = places.map(() => '(cast(? as unsigned), ?)').join(', ');
  return [
    `r.campaign_id in (?) and exists (select 1 from reward_grant g
      where g.tenant_id = r.tenant_id and g.redemption_id = r.id and (r.campaign_id, g.reward_no) in (${pairs}))`,
    [...new Set(places.map(({ campaignId }) => campaignId))],
    ...places.flatMap(({ campaignId, rewardNo }) => [campaignId, rewardNo]),
  ];
}
