import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

const NODES = `create table if not exists subscription_node (
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    name varchar(64) not null,
    address varchar(255) not null,
    tags json not null,
    enabled tinyint(1) not null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    primary key (tenant_id, id)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

/** Nodes that plans open, an index by which a node finds its subscribers, and the day that extensions return to. */
export class Migration20261129011401_keep_nodes_and_anchor_days extends Migration {
  override async up(): Promise<void> {
    await this.execute(NODES);
    await changeTable(executeOf(this), 'plan', {
      addColumns: { keeps_anchor_day: 'tinyint(1) not null default 0 after held_for_ever' },
    });
    await changeTable(executeOf(this), 'subscription', {
      addColumns: { anchor_day: 'tinyint unsigned null after expires_at' },
      addIndexes: { ix_subscription__plan_status: '(plan_id, status, id)' },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'subscription', {
      dropIndexes: ['ix_subscription__plan_status'],
      dropColumns: ['anchor_day'],
    });
    await changeTable(executeOf(this), 'plan', { dropColumns: ['keeps_anchor_day'] });
    await this.execute('drop table if exists subscription_node');
  }
}
