import type { Connection } from 'mysql2/promise';
import { networkObstacle, passes, stays, type StoreObstacle } from '../await-store.js';
import { openPlain } from './database-probe.js';
import { mysqlErrno } from './sql-errors.js';

const CONNECT_TIMEOUT_MS = 2000;
const VARIABLE = 'DATABASE_URL';

export interface DatabaseObstacle extends StoreObstacle {
  /** The server is there, and only the database is not; a migration makes it. */
  readonly isMissing?: boolean;
}

/** Why the database of the address cannot be used now; null where it can. */
export async function databaseObstacle(databaseUrl: string): Promise<DatabaseObstacle | null> {
  const url = new URL(databaseUrl);
  try {
    const connection = await openPlain(databaseUrl, CONNECT_TIMEOUT_MS);
    try {
      return await serverObstacle(connection, url);
    } finally {
      connection.destroy();
    }
  } catch (error) {
    return connectObstacle(error, url);
  }
}

async function serverObstacle(connection: Connection, url: URL): Promise<StoreObstacle | null> {
  const [rows] = await connection.query('select version() as version, @@global.read_only as isReadOnly');
  const [{ version, isReadOnly }] = rows as [{ version: string; isReadOnly: number | string }];
  if (url.protocol === 'mariadb:' && !/mariadb/i.test(version)) {
    return stays(`The database at ${url.host} is MySQL ${version}: begin ${VARIABLE} with mysql://.`);
  }
  if (isReadOnly === 1 || isReadOnly === 'ON')
    return passes(`The database at ${url.host} is read-only: point ${VARIABLE} at the primary.`);
  const [galera] = await connection.query(`show status like 'wsrep_cluster_status'`);
  const [cluster] = galera as { Value: string }[];
  if (cluster?.Value === 'non-Primary')
    return passes(
      `The database at ${url.host} is a node of Galera without a majority: point ${VARIABLE} at another.`,
    );
  return null;
}

function connectObstacle(error: unknown, url: URL): DatabaseObstacle {
  const user = decodeURIComponent(url.username);
  const name = decodeURIComponent(url.pathname.slice(1));
  const at = `The database at ${url.host}`;
  switch (mysqlErrno(error)) {
    case 1045:
      // MariaDB says the same to everybody who comes without TLS where it is required.
      return stays(
        `${at} refuses user ${user}: correct user and password in ${VARIABLE}, or let the user connect without TLS.`,
      );
    case 1044:
    case 1049:
      return {
        ...stays(`${at} has no database ${name} that ${user} may use: create it, or correct ${VARIABLE}.`),
        isMissing: true,
      };
    case 1130:
      return stays(`${at} takes no connections from this machine: allow user ${user} to come from here.`);
    case 3159:
      return stays(`${at} takes only TLS connections, which ${VARIABLE} does not make: allow plain ones.`);
    case 1040:
    case 1203:
    case 1226:
      return passes(`${at} has no connection left: raise its max_connections, or stop other processes.`);
    default:
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/_SSL_|TLS|CERT/.test(code))
    return stays(`${at} and ${VARIABLE} do not agree about TLS (${code}): correct ${VARIABLE}.`);
  return (
    networkObstacle(error, 'the database', url, VARIABLE) ??
    stays(`${at} cannot be used (${code || 'no MySQL protocol'}): check ${VARIABLE}.`)
  );
}
