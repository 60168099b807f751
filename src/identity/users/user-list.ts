import { EMPTY_PAGE, type Page, type PageRange } from '../../platform/database/find-page.js';
import {
  pageOfWays,
  routeBy,
  rowsOfPage,
  wayOf,
  type Condition,
  type Route,
  type Way,
  type Wish,
} from '../../platform/database/list-ways.js';
import type { Em } from '../../platform/database/orm.js';
import { isId, type Id } from '../../platform/ids.js';
import { User, type UserStatus } from './user.entity.js';

export interface UserFilter {
  readonly status?: UserStatus | null | undefined;
  readonly externalUserId?: string | null | undefined;
  /** How the id in the tenant's own system begins. */
  readonly externalIdPrefix?: string | null | undefined;
  /** Any of these; names for ids in other lists. */
  readonly ids?: readonly Id[] | null | undefined;
  /** All of these. */
  readonly tags?: readonly string[] | null | undefined;
}

/** One page: by when they were made, but by their ids in the tenant's own system where the beginning of it is given. */
export async function findUsers(
  em: Em,
  tenantId: string,
  filter: UserFilter,
  range: PageRange,
): Promise<Page<User>> {
  const { tags, ids } = filter;
  if ((tags?.length ?? 0) > TAGS_MAX || ids?.every((id) => !isId(id))) return EMPTY_PAGE;
  const sorted = filter.externalIdPrefix ? { ...range, isOldestFirst: true } : range;
  return rowsOfPage(em, User, await pageOfWays(em, userWays(tenantId, filter), sorted));
}

/** More than a user can have. */
const TAGS_MAX = 64;
/** As many as a page of another list can show. */
export const IDS_MAX = 500;

export function userWays(tenantId: string, filter: UserFilter): Way[] {
  const { status, externalUserId, externalIdPrefix, ids, tags } = filter;
  const others: Wish[] = [
    ['u.tenant_id = ?', tenantId],
    ids ? ['u.id in (?)', ids.filter((id) => isId(id))] : false,
    status ? ['u.status = ?', status] : false,
    externalUserId ? ['u.external_id = ?', externalUserId] : false,
    externalIdPrefix ? ['u.external_id like ?', `${escaped(externalIdPrefix)}%`] : false,
    ...(tags ?? []).map((tag): Wish => ['json_contains(u.tags, ?)', JSON.stringify(tag)]),
  ];
  return [wayOf(routeOf(tenantId, filter), others)];
}

function routeOf(
  tenantId: string,
  { status, externalUserId, externalIdPrefix, ids, tags }: UserFilter,
): Route {
  if (ids) return routeBy('user', 'u', 'primary');
  if (externalUserId) return routeBy('user', 'u', 'uq_user__tenant_external');
  if (externalIdPrefix)
    return { ...routeBy('user', 'u', 'uq_user__tenant_external'), by: externalIdOf(tenantId) };
  const [tag] = tags ?? [];
  if (tag !== undefined) return tagRoute(tenantId, tag);
  return routeBy('user', 'u', status ? 'ix_user__status' : 'primary');
}

function externalIdOf(tenantId: string): NonNullable<Way['by']> {
  const of = (id: Id): Condition => ({
    sql: '(select at.external_id from user at where at.tenant_id = ? and at.id = ?)',
    params: [tenantId, id],
  });
  return { column: 'u.external_id', of };
}

function tagRoute(tenantId: string, tag: string): Route {
  return {
    from: `user_tag t force index (primary)
      straight_join user u force index (primary) on u.tenant_id = t.tenant_id and u.id = t.user_id`,
    id: 't.user_id',
    wishes: [['t.tenant_id = ? and t.tag = ?', tenantId, tag]],
  };
}

/** The wildcards of LIKE mean themselves. */
const escaped = (text: string): string => text.replace(/[\\%_]/g, String.raw`\$&`);
