#!/usr/bin/env node
/**
 * What `npm start` and `npm test` need first: the packages of the lockfile, a recent Node, a database and a Redis
 * binary, and the build. It is plain Node 18 without a dependency, because it runs before anything is installed.
 *
 * Everything is looked at before it is done: a run that finds all in place only reads a few files. Whatever has to be
 * done is done under one lock, so that `npm start` and `npm test` may be called at the same time.
 *
 *   --servers=auto|always|never   auto (the default) skips the servers when DATABASE_URL and REDIS_URL are both set
 *   --no-build                    builds nothing but the types of the console's operations
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIsCurrent, makeBuild } from './bootstrap/build.mjs';
import { consoleIsCurrent, makeConsole, makeOperations, operationsAreCurrent } from './bootstrap/console.mjs';
import { withLock } from './bootstrap/lock.mjs';
import { ensureNode, isAtLeast, nodeIsReady, nodeMessage } from './bootstrap/node.mjs';
import { installPackages, packagesAreCurrent } from './bootstrap/packages.mjs';
import { BootstrapError, say } from './bootstrap/say.mjs';
import { ensureServers, missingServersMessage, readServers } from './bootstrap/servers.mjs';

export {
  BootstrapError,
  buildIsCurrent,
  consoleIsCurrent,
  ensureNode,
  makeBuild,
  makeConsole,
  makeOperations,
  nodeIsReady,
  nodeMessage,
  missingServersMessage,
  operationsAreCurrent,
  packagesAreCurrent,
  withLock,
};

const SERVER_MODES = ['auto', 'always', 'never'];

/** The options of a command line; an unknown one stops the run, so that a misspelt one is not silently ignored. */
export function parseOptions(argv, env) {
  const options = { servers: true, build: true };
  let mode = 'auto';
  for (const argument of argv) {
    if (argument === '--no-build') options.build = false;
    else if (argument.startsWith('--servers=')) mode = argument.slice('--servers='.length);
    else
      throw new BootstrapError(
        `Unknown option ${argument}. Known are --servers=auto|always|never and --no-build.`,
      );
  }
  if (!SERVER_MODES.includes(mode)) {
    throw new BootstrapError(`--servers is one of ${SERVER_MODES.join(', ')}, not "${mode}".`);
  }
  const ownServers = Boolean(env.DATABASE_URL && env.REDIS_URL);
  options.servers = mode === 'always' || (mode === 'auto' && !ownServers);
  return options;
}

function isWarm(root, options) {
  return (
    packagesAreCurrent(root) &&
    nodeIsReady(root) &&
    (!options.servers || readServers(root) !== undefined) &&
    operationsAreCurrent(root) &&
    (!options.build || (buildIsCurrent(root) && consoleIsCurrent(root)))
  );
}

export async function bootstrap(root, options, env = process.env) {
  if (isWarm(root, options)) return;
  await withLock(path.join(root, '.data', 'bootstrap.lock'), async () => {
    if (!packagesAreCurrent(root)) await installPackages(root, env);
    const node = await ensureNode(root);
    if (options.servers) await ensureServers(root, env);
    if (!operationsAreCurrent(root)) await makeOperations(root, node);
    if (options.build && !buildIsCurrent(root)) await makeBuild(root, node);
    if (options.build && !consoleIsCurrent(root)) await makeConsole(root, node);
  });
}

async function main() {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
  if (!isAtLeast(process.versions.node, [18, 0])) {
    throw new BootstrapError(`Node 18 or newer is needed to begin with; this is ${process.versions.node}.`);
  }
  await bootstrap(root, parseOptions(process.argv.slice(2), process.env));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((/** @type {unknown} */ error) => {
    // A refusal has its own clear text; anything else is a defect of this script and keeps its stack.
    say(
      error instanceof BootstrapError ? error.message : error instanceof Error ? error.stack : String(error),
    );
    process.exitCode = 1;
  });
}
