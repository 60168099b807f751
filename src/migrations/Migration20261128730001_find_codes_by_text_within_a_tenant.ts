import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/**
 * The index by which staff find the beginning of a code starts with the tenant: a beginning that other tenants of the
 * partition use too made the search read their codes. The tenant stands in the text, and not as the index's first
 * column: an UPDATE by primary key would choose such an index, and lock its entry before the row (see `Code`).
 */
export class Migration20261128730001_find_codes_by_text_within_a_tenant extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'code', {
      addColumns: {
        tenant_text: `varchar(65) collate utf8mb4_general_ci
          generated always as (concat(tenant_id, ' ', canonical_text)) virtual`,
      },
    });
    await changeTable(executeOf(this), 'code', {
      addIndexes: { ix_code__tenant_text: '(tenant_text)' },
      dropIndexes: ['ix_code__canonical_text'],
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'code', {
      addIndexes: { ix_code__canonical_text: '(canonical_text)' },
      dropIndexes: ['ix_code__tenant_text'],
    });
    await changeTable(executeOf(this), 'code', { dropColumns: ['tenant_text'] });
  }
}
