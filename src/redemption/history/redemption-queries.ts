import type { CampaignRewards, RewardFilter } from '../../campaigns/campaign-rewards.service.js';
import type { CodeReader } from '../../codes/code-reader.service.js';
import type { PartnerActor, PersonActor } from '../../graphql/actor.js';
import type { UserService } from '../../identity/users/user.service.js';
import type { RedeemedOrderFilter } from '../../orders/orders/order.service.js';
import { EMPTY_PAGE, type Page, type PageRange } from '../../platform/database/find-page.js';
import { isId, type Id } from '../../platform/ids.js';
import type { RedemptionPage, RedemptionReader } from './redemption-reader.js';
import type { RedemptionRecord } from './redemption-record.js';
import type { RedemptionListFilter } from './redemption-ways.js';

type Reading = PartnerActor | PersonActor;

/** One redemption: users see their own, staff and partners their tenant's; all others are as good as missing. */
export async function findRedemption(
  reader: RedemptionReader,
  actor: Reading,
  id: Id,
): Promise<RedemptionRecord | null> {
  if (!isId(id)) return null;
  const record = await reader.byId(actor.tenantId, id);
  if (record === null || record.status === 'ABORTED') return null;
  if (actor.kind === 'USER') return record.userId === actor.userId ? record : null;
  const lines = productCodesOf(actor);
  return lines === null || lines.includes(record.productCode) ? record : null;
}

export interface WantedRedemptions extends RewardFilter {
  readonly userId?: Id | null | undefined;
  /** The user's id in the tenant's own system. */
  readonly externalUserId?: string | null | undefined;
  readonly codeId?: Id | null | undefined;
  readonly campaignId?: Id | null | undefined;
  readonly batchId?: Id | null | undefined;
  readonly status?: 'COMMITTED' | 'REVERSED' | null | undefined;
  readonly productCode?: string | null | undefined;
  /** Of the redemption's order, which bears its id. */
  readonly orderNo?: string | null | undefined;
  /** What a customer typed of the code, in any spelling. For staff. */
  readonly part?: string | null | undefined;
  /** By the instant of the claim; half-open. */
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
}

/** Where the lists are read, and what their filters refer to. */
export interface RedemptionLists {
  readonly reader: RedemptionReader;
  readonly users: Pick<UserService, 'find'>;
  readonly codes: Pick<CodeReader, 'find' | 'batch'>;
  readonly rewards: CampaignRewards;
}

/** A page of redemptions: users see their own, whatever they filter by. An id that is none matches nothing. */
export async function listRedemptions(
  its: RedemptionLists,
  actor: Reading,
  wanted: WantedRedemptions,
  page: PageRange,
): Promise<RedemptionPage> {
  const filter = await filterOf(its, actor, wanted);
  return filter === null ? EMPTY_PAGE : its.reader.page(actor.tenantId, filter, page);
}

/** The ids of the orders of redemptions, also of those that were aborted; the list is that of {@link listRedemptions}. */
export async function listOrdersOf(
  its: RedemptionLists,
  actor: PersonActor,
  { status, ...wanted }: RedeemedOrderFilter,
  page: PageRange,
): Promise<Page<{ readonly id: Id }>> {
  const filter = await filterOf(its, actor, wanted);
  if (filter === null) return EMPTY_PAGE;
  return its.reader.ids(actor.tenantId, { ...filter, withOrders: { status } }, page);
}

/** Null where nothing can fit. */
async function filterOf(
  { users, codes, rewards }: Omit<RedemptionLists, 'reader'>,
  actor: Reading,
  wanted: WantedRedemptions,
): Promise<RedemptionListFilter | null> {
  const { tenantId } = actor;
  const { codeId, batchId = null, status, orderNo: id, from, before } = wanted;
  const userId = await userOf(users, actor, wanted);
  const campaignId = await campaignOf(codes, tenantId, wanted);
  if (userId === null || campaignId === null) return null;
  const ids = { id, userId, codeId, campaignId, batchId };
  const productCodes = wantedLines(actor, wanted);
  if (productCodes?.length === 0) return null;
  if (Object.values(ids).some((one) => typeof one === 'string' && !isId(one))) return null;
  const places = await rewards.places(tenantId, wanted);
  if (places?.length === 0) return null;
  // A part of a code is for staff to look for: users would learn which codes there are.
  const part = actor.kind === 'STAFF' ? wanted.part : null;
  const found = part ? await codes.find(tenantId, { part, campaignId: campaignId ?? null, batchId }) : null;
  if (part && found === null) return null;
  return given({ ...ids, status, from, before, places, codes: found, productCodes });
}

/** The product lines of which a partner's key may read; null for all. */
function productCodesOf(actor: Reading): readonly string[] | null {
  return actor.kind === 'PARTNER' ? actor.productCodes : null;
}

/** The product lines that are asked for, of those that may be read; null for all. */
function wantedLines(actor: Reading, { productCode }: WantedRedemptions): readonly string[] | null {
  const own = productCodesOf(actor);
  if (!productCode) return own;
  return own === null || own.includes(productCode) ? [productCode] : [];
}

/** Whose redemptions are asked for: undefined for all, null where there is no such user. */
async function userOf(
  users: RedemptionLists['users'],
  actor: Reading,
  { userId, externalUserId }: WantedRedemptions,
): Promise<Id | null | undefined> {
  const named = externalUserId ? await users.find(actor.tenantId, { externalId: externalUserId }) : undefined;
  if (named === null || (named && (userId ?? named.id) !== named.id)) return null;
  return actor.kind === 'USER' ? actor.userId : (named?.id ?? userId ?? undefined);
}

/**
 * The campaign that is asked for, or that of the batch: redemptions have an index by campaign and none by batch.
 * Undefined for all, null where no redemption is of both.
 */
async function campaignOf(
  codes: RedemptionLists['codes'],
  tenantId: string,
  { campaignId, batchId }: WantedRedemptions,
): Promise<Id | null | undefined> {
  if (!batchId) return campaignId ?? undefined;
  const batch = await codes.batch(tenantId, batchId);
  return batch === null || (campaignId && campaignId !== batch.campaignId) ? null : batch.campaignId;
}

/** Without what is null or missing. */
function given(filter: { [Key in keyof RedemptionListFilter]: unknown }): RedemptionListFilter {
  const set = Object.entries(filter).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(set) as RedemptionListFilter;
}
