import type { PersonActor } from '../../graphql/actor.js';
import type { UserService } from '../../identity/users/user.service.js';
import { isId, type Id } from '../../platform/ids.js';
import type { RedemptionListFilter, RedemptionPage, RedemptionReader } from './redemption-reader.js';
import type { RedemptionRecord } from './redemption-record.js';

/** One redemption: users see their own, staff their tenant's; all others are as good as missing. */
export async function findRedemption(
  reader: RedemptionReader,
  actor: PersonActor,
  id: Id,
): Promise<RedemptionRecord | null> {
  if (!isId(id)) return null;
  const record = await reader.byId(actor.tenantId, id);
  if (record === null || record.status === 'ABORTED') return null;
  return actor.kind === 'STAFF' || record.userId === actor.userId ? record : null;
}

const NOTHING: RedemptionPage = { total: 0, items: [] };

interface WantedFilter {
  /** The user's id in the tenant's own system. */
  readonly externalUserId?: string | null | undefined;
  readonly userId?: Id | null | undefined;
  readonly codeId?: Id | null | undefined;
  readonly campaignId?: Id | null | undefined;
}

/** A page of redemptions: users see their own, whatever they filter by. An id that is none matches nothing. */
export async function listRedemptions(
  reader: RedemptionReader,
  users: Pick<UserService, 'find'>,
  actor: PersonActor,
  { externalUserId, ...wanted }: WantedFilter,
  page: { readonly offset: number; readonly size: number },
): Promise<RedemptionPage> {
  const given = Object.entries(wanted).filter((entry): entry is [string, Id] => typeof entry[1] === 'string');
  if (given.some(([, id]) => !isId(id))) return NOTHING;
  const named = externalUserId ? await users.find(actor.tenantId, { externalId: externalUserId }) : undefined;
  if (named === null || (named && (wanted.userId ?? named.id) !== named.id)) return NOTHING;
  const filter: RedemptionListFilter = {
    ...Object.fromEntries(given),
    ...(named && { userId: named.id }),
    ...(actor.kind === 'USER' ? { userId: actor.userId } : {}),
  };
  return reader.page(actor.tenantId, filter, page.offset, page.size);
}
