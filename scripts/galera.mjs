#!/usr/bin/env node
/**
 * What `npm run test:galera` needs beyond the servers: the library by which MariaDB servers replicate to each other.
 * That of the system, or fetched as the servers are. It needs no library that mariadbd itself does not need.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { canUnpack, unpackPackages } from './bootstrap/debian.mjs';
import { withLock } from './bootstrap/lock.mjs';
import { programFolders } from './bootstrap/run.mjs';
import { BootstrapError, say } from './bootstrap/say.mjs';

const OF_SYSTEM = ['/usr/lib/galera', '/usr/lib', '/usr/lib64/galera-4', '/usr/lib64/galera'];
const OF_PACKAGE = ['usr/lib/galera', 'usr/lib'];
const FILE = 'libgalera_smm.so';

async function main(root, env) {
  const folder = path.join(root, '.data', 'servers', 'galera');
  const find = () =>
    [...OF_SYSTEM, ...OF_PACKAGE.map((name) => path.join(folder, 'root', name))]
      .map((place) => path.join(place, FILE))
      .find((file) => existsSync(file));
  await withLock(path.join(root, '.data', 'bootstrap.lock'), async () => {
    if (find() !== undefined) return;
    if (!canUnpack(programFolders(env))) throw new BootstrapError(messageOf('This system has no apt.'));
    await unpackPackages(folder, [[['galera-4']]], messageOf);
  });
  const file = find();
  if (file === undefined) throw new BootstrapError(messageOf(`The package galera-4 holds no ${FILE}.`));
  process.stdout.write(`${file}\n`);
}

const messageOf = (why) =>
  `${FILE} could not be had:\n${why}\nInstall Galera 4 by hand, for example the package galera-4.`;

main(path.resolve(import.meta.dirname, '..'), process.env).catch((/** @type {unknown} */ error) => {
  say(error instanceof BootstrapError ? error.message : error instanceof Error ? error.stack : String(error));
  process.exitCode = 1;
});
