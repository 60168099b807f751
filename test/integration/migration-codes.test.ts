import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const NAME = 'Migration20261128060001_find_codes_by_text_and_state';
const CODES: readonly (readonly [string | null, string, string, string])[] = [
  // code_text, last_four before, after, its canonical tail
  ['OIL-XYOI', 'XY01', 'XYOI', 'XY01'],
  ['OIL-6XGJ', '6XGJ', '6XGJ', '6XGJ'],
  ['9f0b-c-0l', 'BC01', 'bc0l', 'BC01'],
  [null, 'XY01', 'XY01', 'XY01'],
];

it('codes from before show their last four as printed, are found by their canonical form, and go back', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const column = async (name: string) => {
    const rows = await em.execute<{ value: string }[]>(
      `select ${name} as value from code order by tenant_id, id`,
    );
    return rows.map(({ value }) => value);
  };
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name;
    await orm.migrator.up({ to: before ?? '' });
    // More rows than one step of the migration takes.
    for (const [index, [text, lastFour]] of CODES.entries()) {
      await em.execute(
        `insert into code (tenant_id, id, code_digest, digest_key_id, code_text, last_four, campaign_id, batch_id,
            status, use_limit, issued_at)
          select concat('T_', n % 2), ? + n, concat('d', ?, '-', n), 1, ?, ?, 1, 1, 'ACTIVE', 1, now(3)
          from (select a.d + 10 * b.d + 100 * c.d + 1000 * e.d as n
            from ${['a', 'b', 'c', 'e'].map((name) => `(${DIGITS}) ${name}`).join(', ')}) numbers where n < 6000`,
        [1 + index * 10_000, index, text, lastFour],
      );
    }
    const first = await column('last_four');
    await orm.migrator.up({ to: NAME });
    const expected = new Map(CODES.map(([text, , after, tail]) => [text, { after, tail }]));
    const texts = await column('code_text');
    expect(texts).toHaveLength(24_000);
    expect(await column('last_four')).toEqual(texts.map((text) => expected.get(text)?.after));
    expect(await column('upper(canonical_tail)')).toEqual(texts.map((text) => expected.get(text)?.tail));
    await orm.migrator.down({ to: before ?? 0 });
    expect(await column('last_four')).toEqual(first);
    await orm.migrator.up();
    expect(await column('last_four')).toEqual(texts.map((text) => expected.get(text)?.after));
  } finally {
    await orm.close(true);
  }
});

const DIGITS = Array.from({ length: 10 }, (_, digit) => `select ${digit} as d`).join(' union all ');
