import { Migration } from '@mikro-orm/migrations';

const TABLE = `create table if not exists user_token_issuer (
    tenant_id varchar(24) not null,
    issuer varchar(255) not null,
    audience varchar(255) not null,
    jwks_url varchar(1024) not null,
    tags_claim varchar(64) null,
    enabled tinyint(1) not null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    primary key (tenant_id),
    unique key uq_user_token_issuer__issuer (issuer)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

/** Servers of tenants that sign users in with keys of their own. */
export class Migration20261129050202_keep_issuers_of_user_tokens extends Migration {
  override async up(): Promise<void> {
    await this.execute(TABLE);
  }

  override async down(): Promise<void> {
    await this.execute('drop table if exists user_token_issuer');
  }
}
