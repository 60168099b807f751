import { Migration } from '@mikro-orm/migrations';

const OPTIONS = 'default character set utf8mb4 collate utf8mb4_bin engine = InnoDB';
const CODE_TOTALS = `create table if not exists code_total (
    tenant_id varchar(24) not null,
    campaign_id bigint unsigned not null,
    batch_id bigint unsigned not null,
    status enum('INACTIVE','ACTIVE','DISABLED') not null,
    issued_at datetime(3) not null,
    starts_at datetime(3) not null,
    expires_at datetime(3) not null,
    is_assigned tinyint(1) not null,
    is_used_up tinyint(1) not null,
    total bigint not null,
    primary key (tenant_id, campaign_id, batch_id, status, issued_at, starts_at, expires_at, is_assigned, is_used_up)
  ) ${OPTIONS}`;
const REDEMPTION_TOTALS = `create table if not exists redemption_total (
    tenant_id varchar(24) not null,
    campaign_id bigint unsigned not null,
    batch_id bigint unsigned not null,
    day int unsigned not null,
    rewards int unsigned not null,
    status enum('COMMITTED','REVERSED','ABORTED') not null,
    total bigint not null,
    primary key (tenant_id, campaign_id, batch_id, day, rewards, status)
  ) ${OPTIONS}`;

const CODE_KEY =
  'tenant_id, campaign_id, batch_id, status, issued_at, starts_at, expires_at, is_assigned, is_used_up';
const COUNT_CODES = `insert into code_total (${CODE_KEY}, total)
  select ${CODE_KEY}, sum(n) from (
    select tenant_id, campaign_id, batch_id, status, issued_at,
        coalesce(starts_at, timestamp'1970-01-01 00:00:00.000') as starts_at,
        coalesce(expires_at, timestamp'9999-12-31 23:59:59.999') as expires_at,
        assigned_user_id is not null as is_assigned,
        use_limit > 0 and used >= use_limit as is_used_up, count(*) as n
      from code where deleted_at is null group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    union all select ${CODE_KEY}, -total from code_total) both_sides
  group by ${CODE_KEY} having sum(n) <> 0
  on duplicate key update total = code_total.total + values(total)`;

const REDEMPTION_KEY = 'tenant_id, campaign_id, batch_id, day, rewards, status';
const COUNT_REDEMPTIONS = `insert into redemption_total (${REDEMPTION_KEY}, total)
  select ${REDEMPTION_KEY}, sum(n) from (
    select tenant_id, campaign_id, batch_id, datediff(claimed_at, '1970-01-01') as day, (
          select coalesce(bit_or(1 << g.reward_no), 0) from reward_grant g
           where g.tenant_id = redemption.tenant_id and g.redemption_id = redemption.id) as rewards, status, count(*) as n
      from redemption where status <> 'ABORTED' group by 1, 2, 3, 4, 5, 6
    union all select ${REDEMPTION_KEY}, -total from redemption_total) both_sides
  group by ${REDEMPTION_KEY} having sum(n) <> 0
  on duplicate key update total = redemption_total.total + values(total)`;

/** Counts the codes and the redemptions that are alike for lists. A run that was ended adds what is still missing. */
export class Migration20261129011403_count_codes_and_redemptions extends Migration {
  override async up(): Promise<void> {
    await this.execute(CODE_TOTALS);
    await this.execute(REDEMPTION_TOTALS);
    await this.execute(COUNT_CODES);
    await this.execute(COUNT_REDEMPTIONS);
  }

  override async down(): Promise<void> {
    await this.execute('drop table if exists redemption_total');
    await this.execute('drop table if exists code_total');
  }
}
