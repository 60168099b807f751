import { linesWith } from './code.js';
import { perFile, word, type ProjectFile, type Rule } from './rule.js';

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;
const LISTS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

type Manifest = Partial<Record<(typeof LISTS)[number], Record<string, string>>>;

function inexact(file: ProjectFile): readonly string[] {
  const manifest = JSON.parse(file.text) as Manifest;
  return LISTS.flatMap((list) => Object.entries(manifest[list] ?? {}))
    .filter(([, version]) => !EXACT.test(version) && !version.startsWith('file:'))
    .map(([name, version]) => `${name} is ${version}`);
}

export const exactVersions: Rule = {
  says: 'pins every package to one version',
  check: perFile((path) => /(?:^|\/)package\.json$/.test(path), inexact),
  broken: {
    'a range': { 'package.json': '{"dependencies":{"a":"^1.2.3"}}' },
    'any version': { 'console/package.json': '{"devDependencies":{"a":"*"}}' },
    'a tag': { 'package.json': '{"optionalDependencies":{"a":"latest"}}' },
  },
  kept: { 'package.json': '{"dependencies":{"a":"1.2.3"},"devDependencies":{"b":"2.0.0-rc.4"}}' },
};

const WORKPLACE = word('/wo', 'rk/');
const MACHINE_PATH = new RegExp(String.raw`${WORKPLACE}|${word('/fa', 'rm/')}|/(?:home|Users)/\w+/`);
const REGISTRY =
  /https?:\/\/[^\s"'`)]*(?:registry|artifactory|nexus|verdaccio)|^\s*(?:@\w+:)?registry\s*=|"resolved": "https?:/;

export const traces: Rule = {
  says: 'bears no trace of the machine it was made on',
  check: perFile(
    () => true,
    (file) => [
      ...linesWith(file.text, MACHINE_PATH).map((line) => `line ${line}: a path of one machine`),
      ...linesWith(file.text, REGISTRY).map((line) => `line ${line}: the address of a package registry`),
    ],
  ),
  broken: {
    'a path': { 'README.md': `cd ${WORKPLACE}main` },
    'a registry in the lockfile': {
      'package-lock.json': word('"resolved":', ' "https://npm.example.com/a.tgz"'),
    },
    'a registry in the settings': { '.npmrc': 'registry=https://npm.example.com' },
    'a registry in a text': { 'docs/a.md': word('from https:', '//registry.example.com/npm') },
  },
  kept: {
    'README.md': 'src/network/a.ts and https://nodejs.org',
    '.npmrc': 'omit-lockfile-registry-resolved=true',
  },
};
