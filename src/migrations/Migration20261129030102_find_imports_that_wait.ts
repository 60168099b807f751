import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Imports that wait for a worker, in the order of their uploads. */
export class Migration20261129030102_find_imports_that_wait extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'code_import', {
      addIndexes: { ix_code_import__waiting: '(finished_at, refusal, upload_id)' },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'code_import', { dropIndexes: ['ix_code_import__waiting'] });
  }
}
