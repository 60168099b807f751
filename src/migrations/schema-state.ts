import { createConnection, type Connection } from 'mysql2/promise';
import { StartError } from '../platform/errors.js';
import { mysqlErrno } from '../platform/database/sql-errors.js';
import { OWN_COMMAND } from '../platform/own-command.js';
import { migrations } from './index.js';

const NO_SUCH_TABLE = 1146;

/** @throws StartError unless the database has exactly the migrations of this program */
export async function assertSchemaIsCurrent(databaseUrl: string): Promise<void> {
  const applied = await appliedMigrations(databaseUrl);
  refuseNewer(applied);
  const lacking = migrations.filter(({ name }) => !applied.includes(name)).length;
  if (lacking === 0) return;
  const state =
    applied.length === 0 ? 'has no schema yet' : `lacks ${lacking} of ${migrations.length} migrations`;
  throw new StartError(`The database ${state}: run \`${OWN_COMMAND} migrate\` first.`);
}

/** A program that does not know a migration would write rows that the newer one does not expect. */
export function refuseNewer(applied: readonly string[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = applied.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new StartError(
    `The database is newer than this program, which does not know ${unknown.join(', ')}: start the newer program.`,
  );
}

async function appliedMigrations(databaseUrl: string): Promise<readonly string[]> {
  const connection = await createConnection(databaseUrl.replace(/^mariadb:/, 'mysql:'));
  try {
    return await namesIn(connection);
  } finally {
    connection.destroy();
  }
}

async function namesIn(connection: Connection): Promise<readonly string[]> {
  try {
    const [rows] = await connection.query('select name from schema_migration order by name');
    return (rows as { name: string }[]).map(({ name }) => name);
  } catch (error) {
    if (mysqlErrno(error) === NO_SUCH_TABLE) return [];
    throw error;
  }
}
