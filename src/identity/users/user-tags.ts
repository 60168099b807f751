import { LockMode } from '@mikro-orm/core';
import { nextVersion } from '../../platform/database/change-row.js';
import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { User } from './user.entity.js';

/** Tags that a user is to have. */
export interface GivenTags {
  readonly tags: readonly string[];
  /** As of when they hold: the `iat` of a token of the tenant's issuer, for all others {@link tagsGivenAt}. */
  readonly at: Date;
  readonly isOfToken: boolean;
}

/**
 * As of when tags hold that a caller gives now. An `iat` names a second, so a token of this second may have been issued
 * before the call: the added millisecond makes it the older one, also where the second has just begun. Later than what the
 * row has, too: an issuer whose clock is ahead signs tokens with an `iat` in the future.
 */
export function tagsGivenAt(nowMs: number, row: Pick<User, 'tagsAt'> | null = null): Date {
  return new Date(Math.max(nowMs, row?.tagsAt?.getTime() ?? 0) + 1);
}

export const areSameTags = (one: readonly string[], other: readonly string[]): boolean =>
  one.join('\n') === other.join('\n');

/**
 * Replaces the tags of a user. A process sets the tags of a token when it first sees it, which may be after another process
 * has seen a later one: a token older than the tags changes nothing. Each `iat` is compared as signed. Bounded by the
 * time here, two tokens of an issuer whose clock is ahead would be ordered by when they were seen. A future `iat` holds up
 * only tokens, and those for the tolerated skew at most.
 *
 * Where the tags are the same, only the instant moves, and the version stays: staff see no change.
 * A disabled user is not changed: the call is refused, and a refusal writes nothing.
 */
export async function replaceTags(em: Em, id: Id, { tags, at, isOfToken }: GivenTags): Promise<void> {
  const lock = { disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_WRITE } as const;
  const row = await em.findOne(User, { id }, lock);
  if (row?.status !== 'ACTIVE') return;
  if (isOfToken && row.tagsAt && at < row.tagsAt) return;
  const tagsAt = isOfToken ? at : tagsGivenAt(at.getTime(), row);
  const changed = areSameTags(tags, row.tags) ? {} : { tags: [...tags], version: nextVersion() };
  await em.nativeUpdate(User, { id }, { tagsAt, ...changed });
  await moveUserTags(em, row, row.tags, tags);
}

/**
 * Moves what leads from tags to a user, in the transaction that changes the tags of the row, which has
 * inserted or locked it.
 */
export async function moveUserTags(
  em: Em,
  { tenantId, id }: Pick<User, 'tenantId' | 'id'>,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  // By their whole keys: a DELETE that scans would wait for tags of other users.
  for (const tag of before.filter((one) => !after.includes(one)))
    await em.execute('delete from user_tag where tenant_id = ? and tag = ? and user_id = ?', [
      tenantId,
      tag,
      id,
    ]);
  const added = after.filter((one) => !before.includes(one));
  if (added.length === 0) return;
  const values = added.map(() => '(?, ?, ?)').join(', ');
  await em.execute(
    `insert ignore into user_tag (tenant_id, tag, user_id) values ${values}`,
    added.flatMap((tag) => [tenantId, tag, id]),
  );
}
