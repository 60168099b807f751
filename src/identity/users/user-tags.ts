import type { Em } from '../../platform/database/orm.js';
import type { User } from './user.entity.js';

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
