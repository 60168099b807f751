import { Migration } from '@mikro-orm/migrations';

const TABLES = ['tenant', 'product_line', 'plan', 'user'];

/** Two members of staff who edit the same row are told apart by the version that each has read. */
export class Migration20261128040001_number_the_versions_of_what_staff_edit extends Migration {
  override up(): void {
    for (const table of TABLES) {
      this.addSql(`alter table \`${table}\` add column version int unsigned not null default 1`);
    }
    this.addSql('alter table campaign add column deleted_at datetime(3) null');
  }

  override down(): void {
    this.addSql('alter table campaign drop column deleted_at');
    for (const table of TABLES) this.addSql(`alter table \`${table}\` drop column version`);
  }
}
