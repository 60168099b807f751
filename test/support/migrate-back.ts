import { migrations } from '../../src/migrations/index.js';
import { connectOrm } from '../../src/platform/database/orm.js';

/** Takes back a migration, and all that came after it. */
export async function migrateBack(databaseUrl: string, name: string): Promise<void> {
  const before = migrations[migrations.findIndex((each) => each.name === name) - 1]?.name;
  const orm = await connectOrm({ databaseUrl, poolSize: 2, entities: [], migrations });
  try {
    await orm.migrator.down({ to: before ?? 0 });
  } finally {
    await orm.close(true);
  }
}
