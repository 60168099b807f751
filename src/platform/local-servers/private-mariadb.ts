import path from 'node:path';
import { dataFolders, secretOf, writePrivateFile } from './files.js';
import { probe } from './loopback.js';
import { DATABASE_NAME, DATABASE_USER, initStatements, serverArguments } from './mariadb-settings.js';
import { initialiseDatabase } from './mariadb-initialise.js';
import { startPrivateServer, type PrivateServer, type PrivateServerOptions } from './private-server.js';
import { readServerBinaries, serverEnvironment } from './server-binaries.js';

export interface PrivateMariadbOptions extends PrivateServerOptions {
  /** Settings of a test, for example `--innodb-lock-wait-timeout=1`; they win over ours. */
  readonly extraArgs?: readonly string[];
  /** What a test adds to the environment of the server. */
  readonly extraEnvironment?: Readonly<Record<string, string>>;
}

/** The first byte of a greeting: the version of the protocol. An error packet has 0xff there. */
const GREETING_AT = 4;
const PROTOCOL_VERSION = 10;

/** A MariaDB, or a MySQL where that was found, of our own in `<dataDir>/mariadb`. */
export async function startPrivateMariadb(options: PrivateMariadbOptions): Promise<PrivateServer> {
  const dataDir = path.resolve(options.dataDir);
  const binary = readServerBinaries(options.serversDir).database;
  let password = '';
  return startPrivateServer(options, {
    name: 'mariadb',
    url: (port) => `${binary.flavor}://${DATABASE_USER}:${password}@127.0.0.1:${port}/${DATABASE_NAME}`,
    prepare: async (port) => {
      password = secretOf(dataDir, 'mariadb');
      await initialiseDatabase(binary, dataDir, options.log, options.signal);
      const initFile = path.join(dataFolders(dataDir).run, 'mariadb-init.sql');
      const rootPassword = secretOf(dataDir, 'mariadb-root');
      const withScratch = options.scratchDatabases ?? false;
      writePrivateFile(initFile, initStatements(binary.flavor, password, rootPassword, withScratch));
      const args = serverArguments(binary, dataDir, port, initFile, options.durable ?? true);
      return {
        command: binary.server,
        args: [...args, ...(options.extraArgs ?? [])],
        env: { ...serverEnvironment(binary), ...options.extraEnvironment },
        // The server greets only after it has run the init file, so user and database exist by then.
        isReady: () => probe(port, '', (greeting) => greeting[GREETING_AT] === PROTOCOL_VERSION),
      };
    },
  });
}
