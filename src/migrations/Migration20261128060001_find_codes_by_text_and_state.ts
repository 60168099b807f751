import { Migration } from '@mikro-orm/migrations';
import { executeOf, rowSteps } from './row-steps.js';
import { changeTable } from './table-change.js';

const PRINTED = "right(replace(code_text, '-', ''), 4)";
const folded = (text: string): string =>
  ['O0', 'o0', 'I1', 'i1', 'L1', 'l1'].reduce(
    (sql, [letter, digit]) => `replace(${sql}, '${letter}', '${digit}')`,
    text,
  );

/**
 * Last four as printed where the text is kept, and indexes that staff find codes by. The columns are virtual: they
 * take no place in a row, and a redemption, which changes none of what they are made of, does not touch their indexes.
 */
export class Migration20261128060001_find_codes_by_text_and_state extends Migration {
  override async up(): Promise<void> {
    await this.rewriteLastFour(PRINTED);
    await changeTable(executeOf(this), 'code', {
      addColumns: {
        canonical_text: `varchar(40) collate utf8mb4_general_ci
          generated always as (${folded("replace(code_text, '-', '')")}) virtual`,
        canonical_tail: `varchar(4) collate utf8mb4_general_ci
          generated always as (${folded('rtrim(last_four)')}) virtual`,
      },
    });
    await changeTable(executeOf(this), 'code', {
      addIndexes: {
        ix_code__canonical_text: '(canonical_text)',
        ix_code__canonical_tail: '(canonical_tail)',
        ix_code__state:
          '(campaign_id, status, assigned_user_id, starts_at, expires_at, batch_id, deleted_at)',
      },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'code', {
      dropIndexes: ['ix_code__state', 'ix_code__canonical_tail', 'ix_code__canonical_text'],
      dropColumns: ['canonical_tail', 'canonical_text'],
    });
    await this.rewriteLastFour(`upper(${folded('rtrim(last_four)')})`);
  }

  /** A run that was ended goes over the rows again. */
  private async rewriteLastFour(expression: string): Promise<void> {
    const execute = executeOf(this);
    for await (const { tenantId, after, until } of rowSteps(execute, 'code')) {
      await execute(
        `update code set last_four = ${expression}
          where tenant_id = ? and id > ? and id <= ? and code_text is not null and last_four <> ${expression}`,
        [tenantId, after, until],
      );
    }
  }
}
