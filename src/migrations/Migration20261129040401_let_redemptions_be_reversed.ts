import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

const typeOf = (...last: readonly string[]): string =>
  `enum('SUBSCRIPTION','COUPON','POINTS',${last.map((type) => `'${type}'`).join(',')}) not null`;

/**
 * Who has reversed a redemption and why; of each reward the time that it added, so that exactly this is taken back, and
 * what could not be taken back. The type MONEY becomes BALANCE: no campaign could give it, so no row has it.
 */
export class Migration20261129040401_let_redemptions_be_reversed extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'redemption', {
      addColumns: {
        reversed_at: 'datetime(3) null',
        reversed_by: 'varchar(64) null',
        reversal_reason: 'varchar(200) null',
      },
    });
    await changeTable(execute, 'reward_grant', {
      addColumns: {
        period_from: 'datetime(3) null',
        period_until: 'datetime(3) null',
        debt: 'varchar(100) null',
      },
      modifyColumns: { type: typeOf('BALANCE') },
    });
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'reward_grant', { modifyColumns: { type: typeOf('MONEY', 'BALANCE') } });
    await execute(`update reward_grant set type = 'MONEY' where type = 'BALANCE'`, []);
    await changeTable(execute, 'reward_grant', {
      modifyColumns: { type: typeOf('MONEY') },
      dropColumns: ['period_from', 'period_until', 'debt'],
    });
    await changeTable(execute, 'redemption', {
      dropColumns: ['reversed_at', 'reversed_by', 'reversal_reason'],
    });
  }
}
