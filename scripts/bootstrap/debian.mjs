import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findExecutable, lastLines, run } from './run.mjs';
import { seconds } from './packages.mjs';
import { BootstrapError, say } from './say.mjs';

// mariadb-client-core has my_print_defaults, which the installation script needs; redis-tools has the real binary.
const DATABASE_PACKAGES = ['mariadb-server-core', 'mariadb-client-core'];
const REDIS_PACKAGES = [
  ['redis-server', 'redis-tools'],
  ['valkey-server', 'valkey-tools'],
];
/** A second C library beside the system's loader crashes every program, so the system's own is always used. */
const NEVER_UNPACKED = /^(?:libc6|libc-bin|libc-dev-bin|libc-l10n|locales)_/;

export function canUnpack(folders) {
  return ['apt-get', 'apt-cache', 'dpkg-deb'].every((name) => findExecutable(name, folders));
}

/** The folders of shared libraries in an unpacked tree, as LD_LIBRARY_PATH. */
export function libraryPath(unpacked) {
  const candidates = ['usr/lib', 'lib'].flatMap((name) => {
    const folder = path.join(unpacked, name);
    return existsSync(folder)
      ? readdirSync(folder)
          .filter(isTriplet)
          .map((sub) => path.join(folder, sub))
      : [];
  });
  return candidates.join(':');
}

const isTriplet = (name) => /^[a-z0-9_]+-linux-gnu/.test(name);

/** Downloads the servers' packages and unpacks them to <folder>/root. */
export async function unpackServers(folder, wanted) {
  const alternatives = [
    ...(wanted.database ? [[DATABASE_PACKAGES]] : []),
    ...(wanted.redis ? [REDIS_PACKAGES] : []),
  ];
  await unpackPackages(folder, alternatives, downloadMessage);
}

/**
 * Downloads with apt what each list of alternatives offers first, and unpacks it to <folder>/root. Nothing is installed:
 * apt works with lists and caches of its own in a temporary folder, and the tree appears by one rename when it is
 * complete. `messageOf` makes of the reason of a failure what the user is told.
 */
export async function unpackPackages(folder, wanted, messageOf) {
  const began = Date.now();
  const work = path.join(folder, '.work');
  // The lock is ours, so whatever lies here was left by a run that was interrupted.
  rmSync(work, { recursive: true, force: true });
  const config = prepareApt(work);
  say('Reading the package lists of this system’s package source (privately; nothing gets installed) …');
  const update = await run('apt-get', ['-c', config, '-q', 'update']);
  const names = [];
  for (const alternatives of wanted) {
    const offered = await firstOffered(config, alternatives);
    if (offered === undefined) {
      const missing = alternatives.map(([name]) => name).join(' or ');
      throw new BootstrapError(
        messageOf(`The package source offers no ${missing}.\n${lastLines(update.output, 6)}`),
      );
    }
    names.push(...offered);
  }
  say(`Downloading ${names.join(', ')} and what they need …`);
  const download = await run(
    'apt-get',
    [
      '-c',
      config,
      '-q',
      '-y',
      '--no-install-recommends',
      '--download-only',
      '--reinstall',
      'install',
      ...names,
    ],
    { onLine: (line) => /^(?:Get:|Fetched)/.test(line) && say(`  ${line}`) },
  );
  if (download.code !== 0) throw new BootstrapError(messageOf(lastLines(update.output + download.output)));
  const count = await unpackAll(work);
  publish(work, folder);
  say(`Unpacked ${count} packages under ${path.join(folder, 'root')} (${seconds(began)}).`);
}

/** Moves the new tree in place; an older one held only a part of the servers, or was damaged. */
function publish(work, folder) {
  const root = path.join(folder, 'root');
  rmSync(root, { recursive: true, force: true });
  renameSync(path.join(work, 'root'), root);
  rmSync(work, { recursive: true, force: true });
}

function prepareApt(work) {
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'root']) {
    mkdirSync(path.join(work, name), { recursive: true });
  }
  const config = path.join(work, 'apt.conf');
  // The hooks are cleared because they would tidy and refresh the caches of the system.
  const lines = [
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear APT::Update::Pre-Invoke;',
    `Dir::State "${work}/state";`,
    'Dir::State::lists "lists/";',
    'Dir::State::status "/var/lib/dpkg/status";',
    `Dir::Cache "${work}/cache";`,
    'Dir::Cache::archives "archives/";',
    'Debug::NoLocking "true";',
    'APT::Sandbox::User "root";',
    'APT::Keep-Downloaded-Packages "true";',
    'APT::Get::List-Cleanup "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

async function firstOffered(config, alternatives) {
  for (const names of alternatives) {
    const shown = await Promise.all(names.map((name) => run('apt-cache', ['-c', config, 'show', name])));
    if (shown.every((result) => result.code === 0)) return names;
  }
  return undefined;
}

async function unpackAll(work) {
  const archives = path.join(work, 'cache', 'archives');
  const packages = readdirSync(archives).filter(
    (name) => name.endsWith('.deb') && !NEVER_UNPACKED.test(name),
  );
  for (const name of packages) {
    const result = await run('dpkg-deb', ['-x', path.join(archives, name), path.join(work, 'root')]);
    if (result.code !== 0) throw new BootstrapError(`Unpacking ${name} failed:\n${lastLines(result.output)}`);
  }
  return packages.length;
}

const downloadMessage = (why) =>
  `The database and Redis could not be fetched from this system’s package source:\n${why}\n` +
  'Install MariaDB 10.11 (or MySQL 8.4) and Redis 7 or newer by hand, or set DATABASE_URL and REDIS_URL,\n' +
  'or use compose.yaml: docker compose up.';
