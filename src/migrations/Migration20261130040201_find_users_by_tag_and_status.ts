import { Migration } from '@mikro-orm/migrations';
import { executeOf, rowSteps } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Staff look for the users who have a tag, and for those who are disabled, among millions of others. */
export class Migration20261130040201_find_users_by_tag_and_status extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'user', { addIndexes: { ix_user__status: '(tenant_id, status, id)' } });
    await execute(
      `create table if not exists user_tag (
        tenant_id varchar(24) not null,
        tag varchar(64) not null,
        user_id bigint unsigned not null,
        primary key (tenant_id, tag, user_id)
      ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`,
      [],
    );
    for await (const { tenantId, after, until } of rowSteps(execute, 'user'))
      await execute(
        `insert ignore into user_tag (tenant_id, tag, user_id)
          select u.tenant_id, t.tag, u.id from user u
            join json_table(u.tags, '$[*]' columns (tag varchar(64) path '$')) t
           where u.tenant_id = ? and u.id > ? and u.id <= ?`,
        [tenantId, after, until],
      );
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await execute('drop table if exists user_tag', []);
    await changeTable(execute, 'user', { dropIndexes: ['ix_user__status'] });
  }
}
