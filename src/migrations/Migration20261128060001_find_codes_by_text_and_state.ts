import { Migration } from '@mikro-orm/migrations';

const ROWS_AT_ONCE = 10_000;
const ID_MAX = '9223372036854775807';
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
    await this.execute(`alter table code
      add column canonical_text varchar(40) collate utf8mb4_general_ci
        generated always as (${folded("replace(code_text, '-', '')")}) virtual,
      add column canonical_tail varchar(4) collate utf8mb4_general_ci
        generated always as (${folded('rtrim(last_four)')}) virtual`);
    await this.execute(`alter table code
      add index ix_code__canonical_text (canonical_text),
      add index ix_code__canonical_tail (canonical_tail),
      add index ix_code__state
        (campaign_id, status, assigned_user_id, starts_at, expires_at, batch_id, deleted_at)`);
  }

  override async down(): Promise<void> {
    await this.execute(`alter table code drop index ix_code__state,
      drop index ix_code__canonical_tail, drop index ix_code__canonical_text,
      drop column canonical_tail, drop column canonical_text`);
    await this.rewriteLastFour(`upper(${folded('rtrim(last_four)')})`);
  }

  /** In steps along the primary key, each a transaction of its own: a run that was ended goes over them again. */
  private async rewriteLastFour(expression: string): Promise<void> {
    for (const { tenantId } of await this.rows('select distinct tenant_id as tenantId from code')) {
      for (let after: string | undefined = '0'; after !== undefined;) {
        const [last] = await this.rows(
          `select cast(id as char) as id from code where tenant_id = ? and id > ?
            order by id limit 1 offset ${ROWS_AT_ONCE - 1}`,
          [tenantId, after],
        );
        await this.execute(
          `update code set last_four = ${expression}
            where tenant_id = ? and id > ? and id <= ? and code_text is not null and last_four <> ${expression}`,
          [tenantId, after, last?.['id'] ?? ID_MAX],
        );
        after = last?.['id'];
      }
    }
  }

  private async rows(sql: string, params: readonly unknown[] = []): Promise<Record<string, string>[]> {
    return (await this.execute(sql, [...params])) as Record<string, string>[];
  }
}
