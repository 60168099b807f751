import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { present } from '../../src/platform/assert.js';

/** What the last stage of the Dockerfile makes, in a folder that plays the root of the image. */
export interface ImageLayout {
  /** Where commands are run. */
  readonly workdir: string;
  /** Where its own commands are. */
  readonly bin: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

function lastStage(): readonly Instruction[] {
  const lines = readFileSync('Dockerfile', 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const instructions = lines
    .map((line) => /^([A-Z]+) (.+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name = '', text = '']) => ({ name, text }));
  return instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM') + 1);
}

/** What the Dockerfile takes from the checkout, in any stage. */
export function copiedFromCheckout(): Set<string> {
  const copies = readFileSync('Dockerfile', 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm);
  return new Set([...copies].flatMap(([, sources = '']) => sources.split(' ')));
}

interface LockEntry {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  /** Of a workspace, which the image does not run. */
  readonly link?: boolean;
}

/** As `npm ci --omit=dev --omit=optional` installs them: each alone, without packages nested in it for others. */
function copyPackages(to: string): void {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const isWanted = ({ dev, optional, devOptional, link }: LockEntry): boolean =>
    !(dev ?? optional ?? devOptional ?? link);
  for (const [folder, entry] of Object.entries(lock.packages)) {
    if (!folder.startsWith('node_modules/') || !isWanted(entry)) continue;
    linkFiles(folder, path.join(to, folder.slice('node_modules/'.length)), path.join(folder, 'node_modules'));
  }
}

/** A copy whose 20,000 files are links to those of the checkout. */
function linkFiles(folder: string, to: string, without: string): void {
  if (folder === without) return;
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const [source, target] = [path.join(folder, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) linkFiles(source, target, without);
    else linkSync(source, target);
  }
}

/** `NAME=value` for each name. */
export const settingsOf = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/(\w+)=(\S*)/g)].map(([, name = '', value = '']) => [name, value]));

const commandIn = (text: string): readonly string[] => JSON.parse(text.slice(text.indexOf('['))) as string[];

/** Copies what a COPY names; what other stages made is taken from the checkout, where the build has to be current. */
function follow(copy: string, inside: (file: string) => string): void {
  const [, from, rest = ''] = present(/^(?:--from=(\w+) )?(.+)$/.exec(copy), copy);
  const sources = rest.split(' ');
  const target = present(sources.pop(), copy);
  for (const source of sources) {
    const to = path.join(inside(target), target.endsWith('/') ? path.basename(source) : '');
    if (from === 'packages') copyPackages(to);
    else cpSync(path.relative('/app', path.resolve('/app', source)), to, { recursive: true });
  }
}

/** Follows the last stage line by line; a line that it cannot follow fails. */
export function buildImageLayout(root: string): ImageLayout {
  let workdir = '/';
  let environment = {};
  const commands: Record<string, readonly string[]> = {};
  /** A path of the image, in the folder. */
  const inside = (file: string): string => path.join(root, path.resolve(workdir, file));
  const instructions: Record<string, (text: string) => void> = {
    ENV: (text) => (environment = { ...environment, ...settingsOf(text) }),
    WORKDIR: (text) => (workdir = text),
    COPY: (text) => follow(text, inside),
    RUN: (text) => {
      const [, target = '', link = ''] = present(/^ln -s (\S+) (\S+)$/.exec(text), `How to run ${text}`);
      mkdirSync(path.dirname(inside(link)), { recursive: true });
      symlinkSync(inside(target), inside(link));
    },
    CMD: (text) => (commands['CMD'] = commandIn(text)),
    HEALTHCHECK: (text) => (commands['HEALTHCHECK'] = commandIn(text)),
    USER: () => undefined,
    EXPOSE: () => undefined,
  };
  for (const { name, text } of lastStage()) present(instructions[name], `How to follow ${name}`)(text);
  return {
    workdir: inside('.'),
    bin: path.join(root, 'usr/local/bin'),
    environment,
    command: present(commands['CMD'], 'CMD'),
    healthcheck: present(commands['HEALTHCHECK'], 'HEALTHCHECK'),
  };
}
