import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.mjs';
import { seconds } from './packages.mjs';
import { BootstrapError, say } from './say.mjs';

const stampFile = (root) => path.join(root, 'dist', '.redeemkit-build');

export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(file) : [file];
  });
}

/**
 * Names the state of the sources by each file's path, size and time. A comparison of times alone would miss a deleted
 * file and a file that was put back with its old date.
 */
function fingerprint(root) {
  const hash = createHash('sha256');
  const inputs = [path.join(root, 'tsconfig.json'), path.join(root, 'package-lock.json')];
  for (const file of [...inputs, ...filesUnder(path.join(root, 'src')).sort()]) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path.relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

export function buildIsCurrent(root) {
  return existsSync(stampFile(root)) && readFileSync(stampFile(root), 'utf8') === fingerprint(root);
}

export async function makeBuild(root, node) {
  const began = Date.now();
  say('Compiling src to dist …');
  // Taken before the compiler reads: a file saved meanwhile makes the next run compile again.
  const state = fingerprint(root);
  rmSync(stampFile(root), { force: true });
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = await run(node, [compiler, '-p', 'tsconfig.json'], { cwd: root });
  if (result.code !== 0) throw new BootstrapError(`The type check failed:\n${result.output.trimEnd()}`);
  removeLeftovers(root);
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  writeFileSync(stampFile(root), state);
  say(`Compiled (${seconds(began)}).`);
}

/** The compiler leaves the output of deleted sources behind, where a search for migrations could still find it. */
function removeLeftovers(root) {
  const dist = path.join(root, 'dist');
  for (const file of filesUnder(dist)) {
    const source = path.relative(dist, file).match(/^(.+)\.js(?:\.map)?$/)?.[1];
    if (source !== undefined && !existsSync(path.join(root, 'src', `${source}.ts`))) rmSync(file);
  }
}
