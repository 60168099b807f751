import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { formatOf } from '../../src/codes/code-format.js';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm, type Em } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const NAME = 'Migration20261129011201_count_live_codes_by_format';
const BARE = { length: 12, prefix: '', pattern: null, alphabet: null, excludeChars: [] };
const RULES = [
  { ...BARE, codeType: 'ALPHANUM' as const, prefix: 'VIP-', excludeChars: ['b', '8'] },
  { ...BARE, codeType: 'RANDOM_NUM' as const },
  { ...BARE, codeType: 'UUID' as const },
  { ...BARE, codeType: 'PATTERN' as const, pattern: 'SUMMER-####-####', alphabet: 'ABCDEF' },
];

/** A campaign by one of the rules, with a batch of codes, of which one is deleted. */
async function seed(
  em: Em,
  id: number,
  its: {
    readonly rule: object;
    readonly status?: string;
    readonly batchStatus?: string;
    readonly requested?: number;
    readonly voidedAt?: string;
    readonly codes: number;
  },
): Promise<void> {
  const { rule, status = 'ACTIVE', batchStatus = 'READY', voidedAt = null, codes } = its;
  await em.execute(
    `insert into campaign (tenant_id, id, name, tenant_name, tenant_type, status, rule, code_visibility,
        user_limit_total, user_limit_day, budget_uses, budget_value, version, created_at)
      values ('T', ?, 'C', 'T', 'CHANNEL', ?, ?, 'VISIBLE', 0, 0, 0, 0, 1, now(3))`,
    [id, status, JSON.stringify(rule)],
  );
  await em.execute(
    `insert into code_batch (tenant_id, id, campaign_id, status, requested, \`generated\`, voided_at, version, created_at)
      values ('T', ?, ?, ?, ?, ?, ?, 1, now(3))`,
    [id, id, batchStatus, its.requested ?? codes, codes, voidedAt],
  );
  for (let index = 0; index < codes; index += 1)
    await em.execute(
      `insert into code (tenant_id, id, code_digest, digest_key_id, last_four, campaign_id, batch_id, status,
          use_limit, issued_at, deleted_at)
        values ('T', ?, ?, 1, 'AAAA', ?, ?, 'ACTIVE', 1, now(3), ?)`,
      [id * 100 + index, `d${id}-${index}`, id, id, index === 0 ? '2026-01-01' : null],
    );
}

it('X.18 codes from before are counted by the format of their campaign, and `down` takes the counters away', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name;
    await orm.migrator.up({ to: before ?? '' });
    for (const [index, rule] of RULES.entries()) {
      const text = JSON.stringify(formatOf(rule));
      const signature = createHash('sha256').update(text).digest('hex');
      await em.execute(
        "insert into code_format (tenant_id, id, signature, format, created_at) values ('T', ?, ?, ?, now(3))",
        [index + 1, signature, text],
      );
      await seed(em, index + 1, { rule, codes: index + 3 });
    }
    const [first] = RULES;
    await seed(em, 11, { rule: first ?? {}, codes: 5 });
    await seed(em, 12, { rule: first ?? {}, codes: 5, status: 'ENDED' });
    await seed(em, 13, { rule: first ?? {}, codes: 5, voidedAt: '2026-01-01' });
    await seed(em, 14, { rule: first ?? {}, codes: 0, requested: 20, batchStatus: 'PENDING' });
    await seed(em, 15, { rule: first ?? {}, codes: 5, requested: 20, batchStatus: 'CANCELLED' });
    const live = async () =>
      (await em.execute<{ live: number }[]>('select live from code_format order by id')).map(
        (row) => row.live,
      );
    await orm.migrator.up({ to: NAME });
    expect(await live()).toEqual([2 + 4 + 20, 3, 4, 5]);
    await orm.migrator.down({ to: before ?? 0 });
    await orm.migrator.up();
    expect(await live()).toEqual([2 + 4 + 20, 3, 4, 5]);
  } finally {
    await orm.close(true);
  }
});
