import { Migration } from '@mikro-orm/migrations';

/** The server notes each change by itself, also one that an operator makes by hand. New users have no note. */
export class Migration20261128030001_note_when_users_change extends Migration {
  override up(): void {
    this.addSql(`alter table user
      add column changed_at timestamp(3) null default null on update current_timestamp(3),
      add key ix_user__tenant_changed (tenant_id, changed_at)`);
  }

  override down(): void {
    this.addSql('alter table user drop key ix_user__tenant_changed, drop column changed_at');
  }
}
