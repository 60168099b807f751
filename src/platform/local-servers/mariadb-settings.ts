import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dataFolders } from './files.js';
import type { DatabaseBinary } from './server-binaries.js';

export const DATABASE_NAME = 'redeemkit';
export const DATABASE_USER = 'redeemkit';

/** What the program and its migrations do, in their own database alone: no files, no other accounts, no server. */
const PRIVILEGES =
  'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE TEMPORARY TABLES';

/** A socket's path is cut by the kernel at 107 characters, 103 on macOS. */
const SOCKET_PATH_MAX = 100;

/** What every call of the server's program needs. The files of the system's own database are never read. */
export function commonArguments(binary: DatabaseBinary, datadir: string): string[] {
  const messages = path.join(binary.basedir, 'share', 'mysql');
  return [
    '--no-defaults',
    // The server refuses to run as root without this option.
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    `--basedir=${binary.basedir}`,
    `--datadir=${datadir}`,
    ...(existsSync(path.join(messages, 'english')) ? [`--lc-messages-dir=${messages}`] : []),
    ...(binary.flavor === 'mysql' ? ['--secure-file-priv=NULL'] : []),
  ];
}

export function serverArguments(
  binary: DatabaseBinary,
  dataDir: string,
  port: number,
  initFile: string,
  durable: boolean,
): string[] {
  return [
    ...commonArguments(binary, path.join(dataDir, 'mariadb')),
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${socketPath(dataDir)}`,
    // Of its own: a server that starts deletes the temporary tables that it finds there, whosever they are.
    `--tmpdir=${dataFolders(dataDir).run}`,
    `--pid-file=${path.join(dataFolders(dataDir).run, 'mariadb.pid')}`,
    `--init-file=${initFile}`,
    '--skip-name-resolve',
    `--innodb-flush-log-at-trx-commit=${durable ? 1 : 0}`,
    '--innodb-buffer-pool-size=256M',
    '--innodb-rollback-on-timeout=ON',
    '--transaction-isolation=READ-COMMITTED',
    '--local-infile=1',
    '--max-connections=300',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_bin',
    ...flavorArguments(binary.flavor, durable),
  ];
}

function flavorArguments(flavor: DatabaseBinary['flavor'], durable: boolean): string[] {
  // There is no replica, so a binlog would only cost a second write per commit.
  if (flavor === 'mysql') return ['--skip-log-bin', '--mysqlx=OFF', '--log-bin-trust-function-creators=1'];
  return ['--innodb-snapshot-isolation=ON', ...(durable ? [] : ['--innodb-flush-method=nosync'])];
}

function socketPath(dataDir: string): string {
  const own = path.join(dataFolders(dataDir).run, 'mariadb.sock');
  if (own.length <= SOCKET_PATH_MAX) return own;
  return path.join(
    tmpdir(),
    `redeemkit-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}.sock`,
  );
}

/**
 * Run at each start, hence repeatable. One statement a line, as MySQL wants it. Names are not resolved, so a
 * connection over loopback is a connection from 127.0.0.1.
 */
export function initStatements(
  flavor: DatabaseBinary['flavor'],
  password: string,
  rootPassword: string,
  withScratch: boolean,
): string {
  // An underscore stands for any character in the name of a grant.
  const grants = [DATABASE_NAME, ...(withScratch ? [`${DATABASE_NAME}\\_%`] : [])];
  const user = `'${DATABASE_USER}'@'127.0.0.1'`;
  const statements = [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE_NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${password}'`,
    // The secrets may have been deleted and made again since the user was created.
    `ALTER USER ${user} IDENTIFIED BY '${password}'`,
    // Data folders of earlier versions gave it everything.
    `REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user}`,
    ...grants.map((database) => `GRANT ${PRIVILEGES} ON \`${database}\`.* TO ${user}`),
    // MariaDB's root is bound to the socket and the system's user; MySQL's is created without a password.
    ...(flavor === 'mysql' ? [`ALTER USER 'root'@'localhost' IDENTIFIED BY '${rootPassword}'`] : []),
  ];
  return `${statements.join(';\n')};\n`;
}
