/**
 * Fails unless the migrations make exactly the schema of the entities, from an empty database and once more after they
 * were all taken back. The database is a private one, or a scratch one on the server of TEST_DATABASE_URL.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { entities } from '../../dist/app/modules.js';
import { migrations } from '../../dist/migrations/index.js';
import { startLocalServers } from '../../dist/platform/local-servers/local-servers.js';
import { connectOrm } from '../../dist/platform/database/orm.js';

const quiet = () => undefined;

/** A server and how to be done with it: {url, stop}. */
async function startServer() {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => undefined };
  // Named as the folders of the tests, which take away what a killed run left behind.
  const dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-test-'));
  const services = await startLocalServers({
    dataDir,
    log: quiet,
    redis: false,
    durable: false,
    scratchDatabases: true,
  });
  const stop = async () => {
    await services.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { url: services.databaseUrl, stop };
}

async function findings(orm) {
  const found = [];
  const compare = async (when) => {
    const difference = await orm.schema.getUpdateSchemaSQL({ wrap: false });
    if (difference.trim() !== '') found.push(`${when}, the entities still want:\n${difference.trim()}`);
  };
  await orm.migrator.up();
  await compare('After all migrations');
  await orm.migrator.down({ to: 0 });
  const left = await orm.em.getConnection().execute('show tables');
  const tables = left.flatMap(Object.values).filter((table) => table !== 'schema_migration');
  if (tables.length > 0) found.push(`Taken back, the migrations leave behind: ${tables.join(', ')}`);
  await orm.migrator.up();
  await compare('After all migrations were taken back and made again');
  return found;
}

async function main() {
  const server = await startServer();
  try {
    const databaseUrl = new URL(server.url);
    databaseUrl.pathname = `/redeemkit_migrations_${process.pid}`;
    const orm = await connectOrm({ databaseUrl: databaseUrl.href, poolSize: 4, entities, migrations });
    try {
      await orm.schema.ensureDatabase();
      return await findings(orm);
    } finally {
      await orm.schema.dropDatabase();
      await orm.close();
    }
  } finally {
    await server.stop();
  }
}

const found = await main();
if (found.length === 0) console.log('The migrations make the schema of the entities.');
else console.error(found.join('\n\n'));
process.exitCode = found.length === 0 ? 0 : 1;
