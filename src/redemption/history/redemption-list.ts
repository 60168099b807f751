import { Code } from '../../codes/code.entity.js';
import { EMPTY_PAGE, type Page, type PageRange } from '../../platform/database/find-page.js';
import { countOfWays, pageOfWays, rowsOfPage } from '../../platform/database/list-ways.js';
import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { daysWithin } from './days.js';
import { sumOfTotals } from './redemption-totals.js';
import { redemptionWays, type RedemptionListFilter } from './redemption-ways.js';
import { Redemption } from './redemption.entity.js';

/** One page; tombstones are not shown. */
export async function findRedemptions(
  em: Em,
  tenantId: string,
  filter: RedemptionListFilter,
  range: PageRange,
): Promise<Page<Redemption>> {
  return rowsOfPage(em, Redemption, await findRedemptionIds(em, tenantId, filter, range));
}

export async function findRedemptionIds(
  em: Em,
  tenantId: string,
  wanted: RedemptionListFilter,
  range: PageRange,
): Promise<Page<{ readonly id: Id }>> {
  const filter = await withCodes(em, wanted);
  if (filter === null) return EMPTY_PAGE;
  const ways = redemptionWays(tenantId, filter);
  const count = async (): Promise<number> =>
    (await quickTotal(em, tenantId, filter)) ?? (await countOfWays(em, ways));
  return pageOfWays(em, ways, range, count);
}

/** Redemptions of fewer codes are looked up by their codes, those of more are read in order and held against them. */
const CODES_MANY = 10_000;

/** A whole code is one, and the redemptions of one code are in order already. Null where no code fits. */
async function withCodes(
  em: Em,
  { codes, ...others }: RedemptionListFilter,
): Promise<RedemptionListFilter | null> {
  if (codes === undefined) return others;
  const { codeId } = others;
  const [row] = await em.execute<[{ found: number | string; lowest: Id | null }]>(
    `select count(*) as found, cast(min(id) as char) as lowest from (
       select id from (${codes.sql}) wanted${codeId === undefined ? '' : ' where id = ?'} limit ?) first_ones`,
    [...codes.params, ...(codeId === undefined ? [] : [codeId]), CODES_MANY],
  );
  const found = Number(row.found);
  if (found === 0 || row.lowest === null) return null;
  return found === 1
    ? { ...others, codeId: row.lowest }
    : { ...others, codes, areCodesMany: found >= CODES_MANY };
}

/** What totals tell of a filter; null where only rows tell. */
async function quickTotal(em: Em, tenantId: string, filter: RedemptionListFilter): Promise<number | null> {
  const { id, userId, codeId, codes, areCodesMany, productCodes, withOrders, from, before, ...counted } =
    filter;
  const isOfRows = [id, userId, codes, areCodesMany, productCodes, withOrders].some(
    (wish) => wish !== undefined,
  );
  if (isOfRows) return null;
  if (codeId !== undefined) return Object.keys(filter).length === 1 ? lastUseNoOf(em, codeId) : null;
  const { whole, rest } = daysWithin(from, before);
  let total = whole === null ? 0 : await sumOfTotals(em, tenantId, counted, whole);
  for (const times of rest)
    total += await countOfWays(em, redemptionWays(tenantId, { ...counted, ...times }));
  return total;
}

/** Use numbers of a code have no gaps, and reversed redemptions keep theirs. */
async function lastUseNoOf(em: Em, codeId: Id): Promise<number> {
  const code = await em.findOne(Code, { id: codeId }, { fields: ['lastUseNo'], disableIdentityMap: true });
  return code?.lastUseNo ?? 0;
}
