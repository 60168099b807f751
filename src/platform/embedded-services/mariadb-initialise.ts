import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { present } from '../assert.js';
import { EmbeddedServicesError } from './embedded-services.errors.js';
import { commonArguments } from './mariadb-settings.js';
import { serverEnvironment, type DatabaseBinary } from './server-binaries.js';

const execute = promisify(execFile);
const DRAFT = 'mariadb.draft';
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Makes the system tables, once. They are made in a draft folder that is renamed when it is complete, so an
 * initialisation that was interrupted is simply done again.
 */
export async function initialiseDatabase(
  binary: DatabaseBinary,
  dataDir: string,
  log: (line: string) => void,
): Promise<void> {
  const datadir = path.join(dataDir, 'mariadb');
  if (existsSync(datadir)) return;
  const draft = path.join(dataDir, DRAFT);
  rmSync(draft, { recursive: true, force: true });
  log(`Making the private database (${binary.flavor} ${binary.version}) in ${datadir}.`);
  try {
    await (binary.installDb === undefined
      ? initialiseMysql(binary, draft)
      : initialiseMariadb(binary, dataDir));
  } catch (error) {
    throw new EmbeddedServicesError(`The private database could not be made in ${datadir}.`, {
      cause: error,
    });
  }
  renameSync(draft, datadir);
}

async function initialiseMysql(binary: DatabaseBinary, draft: string): Promise<void> {
  await runToEnd(binary, binary.server, [...commonArguments(binary, draft), '--initialize-insecure']);
}

/**
 * MariaDB's script does not quote its paths, so a folder with a space in its name breaks it. It is shown both folders
 * under short names in the temporary folder.
 */
async function initialiseMariadb(binary: DatabaseBinary, dataDir: string): Promise<void> {
  const alias = mkdtempSync(path.join(tmpdir(), 'redeemkit-init-'));
  try {
    symlinkSync(binary.basedir, path.join(alias, 'base'));
    symlinkSync(dataDir, path.join(alias, 'data'));
    const aliased = { ...binary, basedir: path.join(alias, 'base') };
    await runToEnd(binary, present(binary.installDb, 'The installation script'), [
      ...commonArguments(aliased, path.join(alias, 'data', DRAFT)),
      // Of its own: a server that starts deletes the temporary tables that it finds there, whosever they are.
      `--tmpdir=${alias}`,
      '--skip-test-db',
      // No account has an empty password: the administrator is whoever runs the server, over the socket.
      '--auth-root-authentication-method=socket',
      `--auth-root-socket-user=${userInfo().username}`,
    ]);
  } finally {
    rmSync(alias, { recursive: true, force: true });
  }
}

async function runToEnd(binary: DatabaseBinary, command: string, args: readonly string[]): Promise<void> {
  await execute(command, args, {
    env: serverEnvironment(binary),
    cwd: tmpdir(),
    maxBuffer: OUTPUT_MAX_BYTES,
  });
}
