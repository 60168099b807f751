import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** One look at all subscriptions; after it each commit that gives a plan for ever notes that itself. */
export class Migration20261128720001_note_plans_that_are_held_for_ever extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'plan', {
      addColumns: { held_for_ever: 'tinyint(1) not null default 0 after `show`' },
    });
    await this.execute(`update plan join (select distinct tenant_id, plan_id from subscription
        where expires_at is null or expires_at >= '9999-12-31') held
      on held.tenant_id = plan.tenant_id and held.plan_id = plan.id set plan.held_for_ever = 1`);
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'plan', { dropColumns: ['held_for_ever'] });
  }
}
