import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BootstrapError,
  buildIsCurrent,
  consoleIsCurrent,
  ensureNode,
  makeBuild,
  makeConsole,
  makeOperations,
  missingServersMessage,
  nodeIsReady,
  nodeMessage,
  operationsAreCurrent,
  packagesAreCurrent,
  parseOptions,
  withLock,
} from '../../scripts/bootstrap.mjs';
import { NODE_MINIMUM } from '../../src/app/node-version.js';

const execute = promisify(execFile);
let root = '';

function write(file: string, content: string): void {
  const target = path.join(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, content);
}

const lockfile = (packages: object): string => JSON.stringify({ packages: { '': {}, ...packages } });

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'redeemkit-bootstrap-'));
  write('package-lock.json', lockfile({ 'node_modules/a': { version: '1.0.0' } }));
  write('tsconfig.json', '{}');
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('options', () => {
  it('skips the servers only when both are given from outside, and never for tests', () => {
    const both = { DATABASE_URL: 'mysql://a', REDIS_URL: 'redis://b' };
    expect(parseOptions([], {})).toEqual({ servers: true, build: true });
    expect(parseOptions([], { DATABASE_URL: 'mysql://a' }).servers).toBe(true);
    expect(parseOptions([], both).servers).toBe(false);
    expect(parseOptions(['--servers=always', '--no-build'], both)).toEqual({ servers: true, build: false });
  });

  it('stops at what it does not know', () => {
    expect(() => parseOptions(['--server=always'], {})).toThrow('Unknown option --server=always');
    expect(() => parseOptions(['--servers=some'], {})).toThrow('--servers is one of auto, always, never');
  });
});

describe('a warm run', () => {
  const timed = async (...args: readonly string[]): Promise<number> => {
    const began = performance.now();
    const { stderr } = await execute(process.execPath, args);
    expect(stderr).toBe('');
    return performance.now() - began;
  };

  it('costs less than a second and says nothing', async () => {
    // The fastest of several, without what Node itself takes: on a busy machine a process waits for the processor.
    let fastestMs = Infinity;
    for (let run = 0; run < 10 && fastestMs >= 1_000; run += 1) {
      const nodeMs = await timed('--eval', '');
      const wholeMs = await timed('scripts/bootstrap.mjs', '--servers=never', '--no-build');
      fastestMs = Math.min(fastestMs, wholeMs - nodeMs);
    }
    expect(fastestMs).toBeLessThan(1_000);
  });
});

describe('X.15 the packaged Node', () => {
  const packaged = `node_modules/node-${process.platform}-${process.arch}/bin/node`;
  const version = (text: string): void => {
    write(packaged, `#!/bin/sh\necho ${text}\n`);
    chmodSync(path.join(root, packaged), 0o755);
  };

  it('X.15 is put in the PATH of the scripts, which npm 10 does not do, and again after an update', async () => {
    version('v24.1.0');
    expect(nodeIsReady(root)).toBe(false);
    expect(await ensureNode(root)).toBe(path.join(root, packaged));
    const onPath = path.join(root, 'node_modules/.bin/node');
    expect(realpathSync(onPath)).toBe(realpathSync(path.join(root, packaged)));
    expect(nodeIsReady(root)).toBe(true);
    rmSync(onPath);
    expect(nodeIsReady(root)).toBe(false);
    await ensureNode(root);
    expect(nodeIsReady(root)).toBe(true);
  });

  it('X.15 that is too old, or does not run here, is refused by name', async () => {
    version('v20.0.0');
    await expect(ensureNode(root)).rejects.toThrow(`${packaged} is v20.0.0.`);
    write(packaged, 'no program');
    await expect(ensureNode(root)).rejects.toThrow(`${packaged} does not run on this system.`);
  });

  it('X.15 is looked for before every script that is called by its name', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const isReady = (name: string): boolean =>
      name.startsWith('pre') ||
      (scripts[`pre${name}`] ?? scripts[name] ?? '').includes('scripts/bootstrap.mjs');
    expect(Object.keys(scripts).filter((name) => !isReady(name))).toEqual([]);
  });
});

describe('packages', () => {
  const installed = (packages: object): void => {
    write('node_modules/.package-lock.json', JSON.stringify({ packages }));
  };

  it('an interrupted installation does not look finished', () => {
    mkdirSync(path.join(root, 'node_modules', 'a'), { recursive: true });
    expect(packagesAreCurrent(root)).toBe(false);
  });

  it('an installation made by hand is accepted if it is the one of the lockfile', () => {
    installed({ 'node_modules/a': { version: '1.0.0' } });
    expect(packagesAreCurrent(root)).toBe(true);
  });

  it.each([
    ['another version', { 'node_modules/a': { version: '1.0.1' } }],
    ['a missing package', {}],
    ['a foreign package', { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } }],
  ])('%s is installed again', (_, packages) => {
    installed(packages);
    expect(packagesAreCurrent(root)).toBe(false);
  });

  it('a changed lockfile ends what an earlier run found in order', () => {
    installed({ 'node_modules/a': { version: '1.0.0' } });
    expect(packagesAreCurrent(root)).toBe(true);
    write('package-lock.json', lockfile({ 'node_modules/a': { version: '2.0.0' } }));
    expect(packagesAreCurrent(root)).toBe(false);
  });

  it('packages for other systems may be missing', () => {
    write(
      'package-lock.json',
      lockfile({
        'node_modules/a': { version: '1.0.0' },
        'node_modules/mac': { version: '1.0.0', optional: true },
      }),
    );
    installed({ 'node_modules/a': { version: '1.0.0' } });
    expect(packagesAreCurrent(root)).toBe(true);
  });
});

describe('the build', () => {
  const compiler = (script: string): void => {
    write('node_modules/typescript/bin/tsc', script);
  };
  const working = "require('node:fs').mkdirSync('dist', { recursive: true });";

  beforeEach(() => {
    write('src/a.ts', 'export const a = 1;');
    compiler(working);
  });

  it('is made once, and again after any change of the sources', async () => {
    expect(buildIsCurrent(root)).toBe(false);
    await makeBuild(root, process.execPath);
    expect(buildIsCurrent(root)).toBe(true);
    write('src/b.ts', 'export const b = 1;');
    expect(buildIsCurrent(root)).toBe(false);
    await makeBuild(root, process.execPath);
    rmSync(path.join(root, 'src/b.ts'));
    expect(buildIsCurrent(root)).toBe(false);
    await makeBuild(root, process.execPath);
    utimesSync(path.join(root, 'src/a.ts'), 0, 0);
    expect(buildIsCurrent(root)).toBe(false);
  });

  it('a failed type check shows its errors and is not taken for a build', async () => {
    compiler("console.log('src/a.ts(1,1): error TS1000'); process.exit(2);");
    await expect(makeBuild(root, process.execPath)).rejects.toThrow(
      'The type check failed:\nsrc/a.ts(1,1): error TS1000',
    );
    expect(buildIsCurrent(root)).toBe(false);
  });
});

describe('X.26 the console', () => {
  beforeEach(() => {
    write('console/package.json', '{}');
    write('console/src/pages/a.graphql', 'query A { a }');
    write('console/src/main.tsx', '');
    write('console/scripts/operations.mjs', '');
    write('node_modules/vite/bin/vite.js', '');
  });

  it('X.26 is built once, and again after any change of its sources or of the schema', async () => {
    for (const file of ['console/src/main.tsx', 'console/src/b.css', 'schema.graphql']) {
      expect([file, consoleIsCurrent(root)]).toEqual([file, false]);
      await makeConsole(root, process.execPath);
      expect([file, consoleIsCurrent(root)]).toEqual([file, true]);
      write(file, 'changed');
    }
  });

  it('X.26 has the types of its operations made again when a document or the schema has changed', async () => {
    await makeOperations(root, process.execPath);
    write('console/src/main.tsx', 'changed');
    expect(operationsAreCurrent(root)).toBe(true);
    for (const file of ['console/src/pages/a.graphql', 'schema.graphql']) {
      write(file, 'changed');
      expect([file, operationsAreCurrent(root)]).toEqual([file, false]);
      await makeOperations(root, process.execPath);
    }
  });

  it('X.26 is not taken for built when a document does not fit the schema', async () => {
    write(
      'console/scripts/operations.mjs',
      "console.error('plans.graphql:3: no such field'); process.exit(1);",
    );
    await expect(makeConsole(root, process.execPath)).rejects.toThrow(
      'The build of the console failed:\nplans.graphql:3: no such field',
    );
    expect(consoleIsCurrent(root)).toBe(false);
  });

  it('X.26 may be missing, as in a part of the project', () => {
    rmSync(path.join(root, 'console'), { recursive: true });
    expect([consoleIsCurrent(root), operationsAreCurrent(root)]).toEqual([true, true]);
  });
});

describe('the lock', () => {
  it('lets several bootstraps work one after another', async () => {
    const events: string[] = [];
    const work = async (): Promise<void> => {
      events.push('in');
      await sleep(30);
      events.push('out');
    };
    const file = path.join(root, 'lock');
    await Promise.all([withLock(file, work), withLock(file, work), withLock(file, work)]);
    expect(events).toEqual(['in', 'out', 'in', 'out', 'in', 'out']);
  });

  it('of a killed bootstrap does not block the next, and still admits one at a time', async () => {
    write('lock', '999999999 123 dead');
    let inside = 0;
    const file = path.join(root, 'lock');
    const work = async (): Promise<number> => {
      inside += 1;
      await sleep(10);
      return inside--;
    };
    expect(await Promise.all([withLock(file, work), withLock(file, work)])).toEqual([1, 1]);
  });

  it('is given up when the work fails', async () => {
    const file = path.join(root, 'lock');
    await expect(withLock(file, () => Promise.reject(new BootstrapError('no')))).rejects.toThrow('no');
    expect(await withLock(file, () => Promise.resolve('next'))).toBe('next');
  });
});

describe('messages', () => {
  it.each(['linux', 'darwin', 'win32', 'aix'])(
    'on %s it says what is missing and how to get it',
    (platform) => {
      const message = missingServersMessage(platform, {});
      expect(message).toContain('MariaDB 10.11 or newer (or MySQL 8.4 or newer) and Redis 7 or newer');
      expect(message).toContain('set DATABASE_URL and REDIS_URL');
      expect(message).toContain('docker compose up');
    },
  );

  it('names only what is missing', () => {
    expect(missingServersMessage('darwin', { database: {} })).not.toContain('MariaDB 10.11');
    expect(missingServersMessage('darwin', {})).toContain('brew install mariadb redis');
  });

  it('X.15 the program names the same Node, and its entries import nothing that an old one cannot parse', () => {
    expect(nodeMessage('x')).toContain(`on Node ${NODE_MINIMUM.join('.')} or newer`);
    for (const entry of ['main', 'cli']) {
      const imports = readFileSync(`src/${entry}.ts`, 'utf8').matchAll(/^import .* from '(.*)';$/gm);
      expect([...imports].map(([, from]) => from)).toEqual(['./app/node-version.js']);
    }
  });

  it('an old Node gets a message that says what to install', () => {
    expect(nodeMessage('this is 20.1.0')).toContain(
      'Redeemkit runs on Node 22.17 or newer, and this is 20.1.0.',
    );
  });
});
