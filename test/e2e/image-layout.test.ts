import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, VARIABLES } from '../../src/config.js';
import { present } from '../../src/platform/assert.js';
import { findFreePort } from '../../src/platform/local-servers/loopback.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { composeProblems } from '../support/compose-contract.js';
import {
  buildImageLayout,
  copiedFromCheckout,
  settingsOf,
  type ImageLayout,
} from '../support/image-layout.js';
import { COMPILED, startProcess } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

const run = promisify(execFile);

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly restart: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly depends_on: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly replicas: number };
  readonly ports?: readonly string[];
}

const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: { readonly proxy: { readonly content: string } };
};
const service = (name: string): Service => present(compose.services[name], `The service ${name}`);
const OURS = Object.keys(compose.services).filter((name) => service(name).image === 'redeemkit');

/** The lines that the docs give for compose, unchanged. */
const pasted = present(
  [...readFileSync('docs/operations.md', 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)]
    .map(([, text]) => text ?? '')
    .find((text) => text.includes('docker compose up')),
  'The lines for compose',
).trimEnd();
const IN_API = 'docker compose exec api ';

/** Replaces openssl on a machine without it. */
const OPENSSL = `command -v openssl >/dev/null || openssl() { head -c "$3" /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; }`;

let root = '';
let image: ImageLayout;
let secrets: Record<string, string> = {};
let database: ScratchDatabase;
let redis: RedisServer;
beforeAll(async () => {
  // On the file system of the checkout, to whose files the layout links.
  mkdirSync('.data', { recursive: true });
  root = mkdtempSync(path.resolve('.data/image-'));
  image = buildImageLayout(root);
  secrets = await makeSecrets();
  database = await createEmptyDatabase(inject('databaseUrl'));
  redis = await RedisServer.start();
});
afterAll(async () => {
  await redis?.close();
  await database?.drop();
  rmSync(root, { recursive: true, force: true });
});

const envLine = (): string =>
  present(
    pasted.split('\n').find((each) => each.includes('> .env')),
    'The line that writes .env',
  );

/** `.env` as the line of the docs writes it, in the folder that compose would be started in. */
async function makeSecrets(): Promise<Record<string, string>> {
  await run('bash', ['-c', `umask 022\n${OPENSSL}\n${envLine()}`], { cwd: root });
  return settingsOf(readFileSync(path.join(root, '.env'), 'utf8'));
}

/** As compose fills in `${NAME:-preset}` and `${NAME:?message}`. */
function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
    if (kind === '?' && values[name] === undefined) throw new Error(rest);
    return values[name] ?? rest;
  });
}

/** The environment of a service's process: the image's, and what compose.yaml adds. */
const environmentOf = (name: string, values = secrets): Record<string, string> => ({
  ...image.environment,
  ...Object.fromEntries(
    Object.entries(service(name).environment).map(([key, text]) => [key, fillIn(text, values)]),
  ),
});

/** The same on this machine: the stores are elsewhere, and nothing but loopback is listened on. */
const environmentHere = (name: string): Record<string, string> => ({
  ...environmentOf(name),
  DATABASE_URL: database.databaseUrl,
  REDIS_URL: redis.url,
  HOST: '127.0.0.1',
});

/** Runs a command in the layout, with the commands of the image and its Node. */
async function inImage(name: string, command: string): Promise<string> {
  const PATH = [image.bin, path.dirname(process.execPath), '/usr/bin', '/bin'].join(path.delimiter);
  const env = { ...COMPILED, ...environmentHere(name), PATH };
  const { stdout } = await run('/bin/sh', ['-c', command], { cwd: image.workdir, env, timeout: 150_000 });
  return stdout.trimEnd();
}

interface Board {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
}

/** Metrics that the Grafana board asks for, and that this process does not have. */
async function unknownMetrics(url: string): Promise<string[]> {
  const { panels } = JSON.parse(readFileSync('deploy/grafana/redeemkit.json', 'utf8')) as Board;
  const asked = panels
    .flatMap(({ targets = [] }) => targets)
    // Names of metrics are the words with an underscore that are no function.
    .flatMap(({ expr }) => expr.match(/\b[a-z0-9]+(?:_[a-z0-9]+)+\b(?!\()/g) ?? []);
  expect(asked.length).toBeGreaterThan(15);
  const text = await (await fetch(`${url}/metrics`)).text();
  const known = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
  return asked.filter((name) => !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, '')));
}

const hasDockerCompose = spawnSync('docker', ['compose', 'version']).status === 0;

/** What the client says, which needs no engine for it. */
function complaintOfCompose(): string {
  const files = ['--file', path.resolve('compose.yaml'), '--env-file', path.join(root, '.env')];
  const { status, stderr } = spawnSync('docker', ['compose', ...files, 'config', '--quiet'], {
    encoding: 'utf8',
  });
  return status === 0 ? '' : `It ended with ${status}: ${stderr}`;
}

const commandOf = (name: string): readonly string[] => service(name).command ?? image.command;

describe('X.15 compose.yaml', () => {
  it('X.15 runs programs that the image has, with settings that the program knows and takes', () => {
    expect(OURS).toEqual(['migrate', 'api', 'worker']);
    for (const name of OURS) {
      const [program, file = '', ...rest] = commandOf(name);
      expect({ name, program, isThere: existsSync(path.join(image.workdir, file)) }).toEqual({
        name,
        program: 'node',
        isThere: true,
      });
      expect(rest).toEqual(name === 'migrate' ? ['migrate'] : []);
      expect(VARIABLES).toEqual(expect.arrayContaining(Object.keys(environmentOf(name))));
      expect(loadConfig(environmentOf(name))).toMatchObject({ NODE_ENV: 'production', PORT: 4000 });
    }
    expect([environmentOf('api')['ROLE'], environmentOf('worker')['ROLE']]).toEqual(['api', 'worker']);
  });

  it('X.15 takes both secrets from .env, and has none in itself', () => {
    expect(Object.keys(secrets)).toEqual(['JWT_SECRET', 'CODE_PEPPER']);
    for (const name of OURS) {
      for (const secret of Object.keys(secrets)) {
        const { [secret]: _missing, ...others } = secrets;
        expect(() => environmentOf(name, others)).toThrow(`Set ${secret} to a random text`);
      }
      expect(environmentOf(name)).toMatchObject(secrets);
    }
  });

  it('X.15 keeps the secrets when its lines are pasted again, in a file that its owner alone can read', async () => {
    expect(await makeSecrets()).toEqual(secrets);
    expect(statSync(path.join(root, '.env')).mode & 0o777).toBe(0o600);
    expect(readFileSync('compose.yaml', 'utf8')).toContain(envLine());
  });

  it('X.15 migrates once, and starts nothing of the program before that is done', () => {
    expect(service('migrate').restart).toBe('no');
    expect(Object.keys(service('migrate').depends_on)).toEqual(['mysql', 'redis']);
    for (const name of ['api', 'worker'])
      expect(service(name).depends_on['migrate']).toEqual({ condition: 'service_completed_successfully' });
  });

  it('X.15 has two API processes, behind a proxy that alone is reached from outside', () => {
    expect(service('api').deploy?.replicas).toBe(2);
    const open = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined);
    expect(open.map(([name, { ports }]) => [name, ports])).toEqual([
      ['proxy', ['4000:4000']],
      ['prometheus', ['127.0.0.1:9090:9090']],
      ['grafana', ['127.0.0.1:3000:3000']],
    ]);
    const { content } = compose.configs.proxy;
    expect(content).toContain('listen 4000;');
    expect(content).toContain(`server api:${environmentOf('api')['PORT']} resolve;`);
  });

  it('X.15 has no key that compose does not know, and names only what it declares', () => {
    expect(composeProblems(compose)).toEqual([]);
    const wrong = structuredClone<unknown>(compose) as { services: { api: Record<string, unknown> } };
    Object.assign(wrong.services.api, {
      restarts: 'no',
      depends_on: { postgres: { condition: 'service_up' } },
    });
    expect(composeProblems(wrong)).toEqual([
      'services.api.depends_on.postgres.condition: Invalid option: expected one of "service_started"|"service_healthy"|"service_completed_successfully"',
      'services.api: Unrecognized key: "restarts"',
    ]);
    delete wrong.services.api['restarts'];
    wrong.services.api['depends_on'] = { postgres: { condition: 'service_healthy' } };
    wrong.services.api['volumes'] = ['data:/data'];
    expect(composeProblems(wrong)).toEqual([
      'api depends on postgres, which is no service',
      'api uses the volume data, which is not declared',
    ]);
  });

  it.runIf(hasDockerCompose)('X.15 is taken by docker compose', () => {
    expect(complaintOfCompose()).toBe('');
  });
});

describe('X.15 the image', () => {
  it('X.15 is sent what the Dockerfile copies, and nothing else', () => {
    const sent = readFileSync('.dockerignore', 'utf8').matchAll(/^!(.+)$/gm);
    expect(new Set([...sent].map(([, file]) => file))).toEqual(copiedFromCheckout());
  });

  it('X.15 migrates, makes the first tenant by the lines of the docs, and serves its owner', async () => {
    const before = readdirSync(image.workdir);
    expect(await inImage('api', 'redeemkit token --help')).toContain('Usage: redeemkit token [options]');
    // Somebody may have the project running on its usual port.
    const command = `PORT=${await findFreePort()} ${commandOf('api').join(' ')}`;
    await expect(inImage('api', command)).rejects.toMatchObject({
      stderr: 'The database has no schema yet: run `redeemkit migrate` first.\n',
    });
    await inImage('migrate', commandOf('migrate').join(' '));
    const commands = pasted.split('\n').filter((line) => line.startsWith(IN_API));
    const said: string[] = [];
    for (const line of commands) said.push(await inImage('api', line.slice(IN_API.length)));
    const [program, file = ''] = commandOf('api');
    expect(program).toBe('node');
    const PORT = String(await findFreePort());
    const server = await startProcess({
      role: 'api',
      entry: path.join(image.workdir, file),
      cwd: image.workdir,
      databaseUrl: database.databaseUrl,
      redisUrl: redis.url,
      environment: { ...environmentHere('api'), PORT },
    });
    try {
      const { data } = await graphqlRequest(server.url, {
        query: '{ viewer { role staffId } productLines { code } }',
        token: present(said.at(-1), 'The token'),
      });
      expect(data).toMatchObject({
        viewer: { role: 'OWNER', staffId: 'alice' },
        productLines: [{ code: 'WEB' }],
      });
      expect(await unknownMetrics(server.url)).toEqual([]);
      const [, ...healthcheck] = image.healthcheck;
      await run(process.execPath, healthcheck, { env: { PORT } });
    } finally {
      await server.stop();
    }
    // Its user may write nothing there.
    expect(readdirSync(image.workdir)).toEqual(before);
  });
});
