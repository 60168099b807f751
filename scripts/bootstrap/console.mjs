import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesUnder } from './build.mjs';
import { seconds } from './packages.mjs';
import { run } from './run.mjs';
import { BootstrapError, say } from './say.mjs';

/** The workspace of the web console; tests of the bootstrap have none. */
const hasConsole = (root) => existsSync(path.join(root, 'console', 'package.json'));

/** A part of the console that is made from its sources: made again when one of them has changed. */
const PARTS = {
  /** The types of its GraphQL operations, which the checks need, too. */
  operations: {
    stamp: 'node_modules/.redeemkit-operations',
    sources: (file) => file.endsWith('.graphql') || file.endsWith('.mjs'),
    steps: [['scripts/operations.mjs']],
  },
  pages: {
    stamp: 'console/dist/.redeemkit-build',
    sources: (file) => !file.endsWith('.gql.ts'),
    steps: [['scripts/operations.mjs'], ['../node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn']],
  },
};

/** As of the build of src: a comparison of times alone would miss a deleted file. */
function fingerprint(root, { sources }) {
  const hash = createHash('sha256');
  const console = path.join(root, 'console');
  const files = [
    path.join(root, 'schema.graphql'),
    path.join(root, 'package-lock.json'),
    ...['index.html', 'package.json', 'tsconfig.json', 'vite.config.ts'].map((file) =>
      path.join(console, file),
    ),
    ...filesUnder(path.join(console, 'scripts')),
    ...filesUnder(path.join(console, 'src')).sort(),
  ];
  for (const file of files.filter((each) => existsSync(each) && sources(each))) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path.relative(root, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function isCurrent(root, part) {
  const stamp = path.join(root, part.stamp);
  return !hasConsole(root) || (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(root, part));
}

async function make(root, node, part, failure) {
  // Taken first: a file saved meanwhile makes the next run build again.
  const state = fingerprint(root, part);
  for (const step of part.steps) {
    const result = await run(node, step, { cwd: path.join(root, 'console') });
    if (result.code !== 0) throw new BootstrapError(`${failure}\n${result.output.trimEnd()}`);
  }
  const stamp = path.join(root, part.stamp);
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, state);
}

export const operationsAreCurrent = (root) => isCurrent(root, PARTS.operations);

export async function makeOperations(root, node) {
  await make(root, node, PARTS.operations, 'The GraphQL documents of the console do not fit the schema:');
}

export const consoleIsCurrent = (root) => isCurrent(root, PARTS.pages);

export async function makeConsole(root, node) {
  const began = Date.now();
  say('Building the console …');
  await make(root, node, PARTS.pages, 'The build of the console failed:');
  say(`The console is built (${seconds(began)}).`);
}
