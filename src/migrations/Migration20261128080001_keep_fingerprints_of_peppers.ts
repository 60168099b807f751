import { Migration } from '@mikro-orm/migrations';

export class Migration20261128080001_keep_fingerprints_of_peppers extends Migration {
  override up(): void {
    this.addSql(`create table code_pepper (
      key_id tinyint unsigned not null,
      fingerprint char(43) not null,
      state enum('PENDING','ACTIVE','RETIRING','RETIRED') not null,
      created_at datetime(3) not null,
      primary key (key_id),
      unique key uq_code_pepper__fingerprint (fingerprint)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);
    this.addSql('alter table process_node add column key_prints varchar(255) null');
  }

  override down(): void {
    this.addSql('alter table process_node drop column key_prints');
    this.addSql('drop table code_pepper');
  }
}
