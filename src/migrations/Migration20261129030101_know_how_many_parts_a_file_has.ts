import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Of files that wait, too: all of their parts are there, because an upload counts when it is complete. */
const COUNT_PARTS = `update code_import i set i.parts = (
    select count(*) from code_import_part p
     where p.tenant_id = i.tenant_id and p.import_id = i.id and p.upload_id = i.upload_id)
  where i.upload_id is not null and i.finished_at is null and i.parts is null`;

/** How many parts the file of an import has, so that a missing one is not taken for its end. */
export class Migration20261129030101_know_how_many_parts_a_file_has extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'code_import', {
      addColumns: { parts: 'int unsigned null after upload_id' },
    });
    await execute(COUNT_PARTS, []);
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'code_import', { dropColumns: ['parts'] });
  }
}
