import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

const OPTIONS = 'default character set utf8mb4 collate utf8mb4_bin engine = InnoDB';

const EVENTS = `create table if not exists tenant_event (
    tenant_id varchar(24) not null,
    event_id varchar(64) not null,
    version bigint unsigned not null,
    handled_at datetime(3) not null,
    primary key (tenant_id, event_id),
    key ix_tenant_event__handled (handled_at)
  ) ${OPTIONS}`;

const LETTERS = `create table if not exists tenant_event_letter (
    id bigint unsigned not null primary key,
    digest varchar(43) not null,
    event mediumtext not null,
    fault enum('EVENT_MALFORMED','EVENT_NOT_APPLIED') not null,
    message varchar(500) not null,
    attempts int unsigned not null,
    since datetime(3) not null,
    unique key uq_tenant_event_letter__digest (digest)
  ) ${OPTIONS}`;

/** Names, types and statuses of tenants may come from another system, by answers and by events. */
export class Migration20261130050101_follow_the_tenant_directory extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'tenant', {
      addColumns: {
        directory_version: 'bigint unsigned not null default 0',
        directory_checked_at: 'datetime(3) null',
      },
    });
    await execute(EVENTS, []);
    await execute(LETTERS, []);
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await execute('drop table if exists tenant_event', []);
    await execute('drop table if exists tenant_event_letter', []);
    await changeTable(execute, 'tenant', { dropColumns: ['directory_version', 'directory_checked_at'] });
  }
}
