import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findExecutable, programFolders, run } from './run.mjs';
import { BootstrapError, say } from './say.mjs';

const stampFile = (root) => path.join(root, 'node_modules', '.redeemkit-lock');

function lockfileHash(root) {
  return createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
}

/**
 * Whether node_modules is what the lockfile says. `npm ci` removes the stamp together with node_modules and we write it
 * after its success, so an interrupted installation never looks finished.
 */
export function packagesAreCurrent(root) {
  const hash = lockfileHash(root);
  if (existsSync(stampFile(root)) && readFileSync(stampFile(root), 'utf8') === hash) return true;
  if (!installedAsLocked(root)) return false;
  writeFileSync(stampFile(root), hash);
  return true;
}

/** npm writes its own record last, so it tells of a finished `npm ci` or `npm install` that somebody ran by hand. */
function installedAsLocked(root) {
  const record = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  const present = Object.entries(installed).every(([name, entry]) => sameVersion(entry, locked[name]));
  return (
    present &&
    Object.entries(locked).every(([name, entry]) => name === '' || mayMiss(entry) || installed[name])
  );
}

const sameVersion = (installed, locked) => locked !== undefined && installed.version === locked.version;

/** Packages for other platforms and optional peers are in the lockfile without being installed. */
const mayMiss = (entry) => Boolean(entry.optional || entry.devOptional || entry.peer);

export async function installPackages(root, env) {
  say('Installing the packages of package-lock.json (npm ci) …');
  const began = Date.now();
  const { command, args } = npmCommand(root, env);
  // Development packages are always needed: the compiler is one of them. Warnings are left out, because npm runs on
  // the system's Node and would call it too old for each package, although the packaged Node is what they run on.
  const result = await run(
    command,
    [...args, 'ci', '--include=dev', '--include=optional', '--loglevel=error'],
    {
      cwd: root,
      inherit: true,
    },
  );
  if (result.code !== 0) {
    throw new BootstrapError(
      `npm ci failed (exit code ${result.code}); its messages are above. Mend that, then try again.`,
    );
  }
  writeFileSync(stampFile(root), lockfileHash(root));
  say(`Packages are installed (${seconds(began)}).`);
}

/** The npm that runs us, with a Node that `npm ci` does not delete under itself. */
function npmCommand(root, env) {
  const npm = env.npm_execpath;
  if (!npm || path.basename(npm) !== 'npm-cli.js') return { command: 'npm', args: [] };
  const own = path.join(root, 'node_modules') + path.sep;
  const candidates = [env.npm_node_execpath, process.execPath, findExecutable('node', programFolders(env))];
  const node = candidates.find((file) => file && existsSync(file) && !file.startsWith(own));
  return { command: node ?? process.execPath, args: [npm] };
}

export const seconds = (began) => `${((Date.now() - began) / 1000).toFixed(1)} s`;
