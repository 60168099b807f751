import { Migration } from '@mikro-orm/migrations';
import { executeOf, type Execute } from './row-steps.js';
import { changeTable, type TableChange } from './table-change.js';

const typeOf = (...last: readonly string[]): string =>
  `enum('SUBSCRIPTION','COUPON','POINTS',${last.map((type) => `'${type}'`).join(',')}) not null`;

/** Another name for the last of the types of rewards, in one pass over the table with what else changes. */
async function renameType(execute: Execute, from: string, to: string, change: TableChange): Promise<void> {
  await changeTable(execute, 'reward_grant', { modifyColumns: { type: typeOf(from, to) } });
  await execute(`update reward_grant set type = '${to}' where type = '${from}'`, []);
  await changeTable(execute, 'reward_grant', { ...change, modifyColumns: { type: typeOf(to) } });
}

/**
 * Who has reversed a redemption and why; of each reward the time that it added, so that exactly this is taken back, and
 * what could not be taken back. The type MONEY becomes BALANCE; no campaign could give it, so only rows that `down` has
 * left have it.
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
    await renameType(execute, 'MONEY', 'BALANCE', {
      addColumns: {
        period_from: 'datetime(3) null',
        period_until: 'datetime(3) null',
        debt: 'varchar(100) null',
      },
    });
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await renameType(execute, 'BALANCE', 'MONEY', { dropColumns: ['period_from', 'period_until', 'debt'] });
    await changeTable(execute, 'redemption', {
      dropColumns: ['reversed_at', 'reversed_by', 'reversal_reason'],
    });
  }
}
