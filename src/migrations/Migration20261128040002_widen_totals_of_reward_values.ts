import { Migration } from '@mikro-orm/migrations';

/** A sum of amounts outgrows the column of an amount: twenty nines, redeemed twice, could not be counted. */
export class Migration20261128040002_widen_totals_of_reward_values extends Migration {
  override up(): void {
    this.addSql('alter table campaign_usage modify value numeric(60,10) not null');
  }

  override down(): void {
    this.addSql('alter table campaign_usage modify value numeric(30,10) not null');
  }
}
