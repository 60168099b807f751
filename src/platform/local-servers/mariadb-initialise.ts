import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { present } from '../assert.js';
import { LocalServersError } from './local-servers.errors.js';
import { commonArguments } from './mariadb-settings.js';
import { signalProcess } from './process-identity.js';
import { serverEnvironment, type DatabaseBinary } from './server-binaries.js';
import { spawnTethered } from './tethered-process.js';

const DRAFT = 'mariadb.draft';

/**
 * Makes the system tables, once. They are made in a draft folder that is renamed when it is complete, so an
 * initialisation that was interrupted is simply done again.
 */
export async function initialiseDatabase(
  binary: DatabaseBinary,
  dataDir: string,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const datadir = path.join(dataDir, 'mariadb');
  if (existsSync(datadir)) return;
  const draft = path.join(dataDir, DRAFT);
  rmSync(draft, { recursive: true, force: true });
  log(`Making the private database (${binary.flavor} ${binary.version}) in ${datadir}.`);
  try {
    await (binary.installDb === undefined
      ? initialiseMysql(binary, draft, signal)
      : initialiseMariadb(binary, dataDir, signal));
  } catch (error) {
    signal?.throwIfAborted();
    throw new LocalServersError(`The private database could not be made in ${datadir}.`, {
      cause: error,
    });
  }
  renameSync(draft, datadir);
}

async function initialiseMysql(binary: DatabaseBinary, draft: string, signal?: AbortSignal): Promise<void> {
  const args = [...commonArguments(binary, draft), '--initialize-insecure'];
  await runToEnd(binary, binary.server, args, signal);
}

/**
 * MariaDB's script does not quote its paths, so a folder with a space in its name breaks it. It is shown both folders
 * under short names in the temporary folder.
 */
async function initialiseMariadb(
  binary: DatabaseBinary,
  dataDir: string,
  signal?: AbortSignal,
): Promise<void> {
  const alias = mkdtempSync(path.join(tmpdir(), 'redeemkit-init-'));
  try {
    symlinkSync(binary.basedir, path.join(alias, 'base'));
    symlinkSync(dataDir, path.join(alias, 'data'));
    const aliased = { ...binary, basedir: path.join(alias, 'base') };
    const args = [
      ...commonArguments(aliased, path.join(alias, 'data', DRAFT)),
      // Of its own: a server that starts deletes the temporary tables that it finds there, whosever they are.
      `--tmpdir=${alias}`,
      '--skip-test-db',
      // No account has an empty password: the administrator is the user who runs the server, over the socket.
      '--auth-root-authentication-method=socket',
      `--auth-root-socket-user=${userInfo().username}`,
    ];
    await runToEnd(binary, present(binary.installDb, 'The installation script'), args, signal);
  } finally {
    rmSync(alias, { recursive: true, force: true });
  }
}

async function runToEnd(
  binary: DatabaseBinary,
  command: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawnTethered(command, args, {
    env: serverEnvironment(binary),
    cwd: tmpdir(),
    output: 'pipe',
  });
  // The script and the server that it runs are one process group.
  const stop = (): void => void (child.pid !== undefined && signalProcess(-child.pid, 'SIGKILL'));
  signal?.addEventListener('abort', stop, { once: true });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => output.push(String(part)));
  const [code] = (await once(child, 'close')) as [number | null];
  signal?.removeEventListener('abort', stop);
  if (code !== 0) throw new Error(output.join('').trim());
}
