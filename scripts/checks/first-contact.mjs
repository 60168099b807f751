/**
 * Plays a newcomer's first minutes on a clean clone of the last commit, once with npm 10 and once with npm 11: `npm start`
 * with nothing installed, a redemption, the same once more, Ctrl-C; then a Ctrl-C in the middle of a start. Fails unless
 * each works and leaves no process behind.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const VERSIONS = ['10.8.2', '11'];
const READY_MS = 300_000;
const STOP_MS = 30_000;
const INTERRUPT_AFTER_MS = 1200;
const root = path.resolve(import.meta.dirname, '../..');

/** As a terminal has it: the Node of the system, and nothing of the npm that runs this script. */
function environment() {
  const own = `${path.sep}node_modules${path.sep}`;
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => !folder.includes(own));
  const given = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const unset = { DATABASE_URL: '', REDIS_URL: '', NODE_ENV: '', DATA_DIR: '' };
  return { ...Object.fromEntries(given), ...unset, PATH: folders.join(path.delimiter), PORT: '0' };
}

/** `npm start` in a process group of its own, as a terminal would run it. */
function start(version, folder) {
  const child = spawn('npx', ['-y', `npm@${version}`, 'start'], {
    cwd: folder,
    env: environment(),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(String(part)));
  const signal = (name) => child.pid !== undefined && process.kill(-child.pid, name);
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return { isRunning, signal, exited: once(child, 'exit'), said: () => said.join('') };
}

async function demoOf({ isRunning, said }, folder) {
  const file = path.join(folder, '.data', 'demo.json');
  const endMs = Date.now() + READY_MS;
  while (!existsSync(file)) {
    if (!isRunning() || Date.now() > endMs) throw new Error(`It did not start:\n${said()}`);
    await pause(100);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

async function redeem(demo, key) {
  const query = `mutation ($input: RedeemCodeInput!) {
    redeemCode(input: $input) { status redemption { id } errors { code } }
  }`;
  const answer = await fetch(`${demo.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${demo.userToken}`,
      'x-product-code': demo.productCode,
    },
    body: JSON.stringify({ query, variables: { input: { code: demo.codes[0], idempotencyKey: key } } }),
  });
  return (await answer.json()).data.redeemCode;
}

/** Ctrl-C: the terminal signals the whole group. */
async function interrupt({ signal, exited, said }, folder) {
  signal('SIGINT');
  const inTime = await Promise.race([exited.then(() => true), pause(STOP_MS, false, { ref: false })]);
  if (!inTime) throw new Error(`It did not stop after Ctrl-C:\n${said()}`);
  await pause(500);
  const left = processesIn(folder);
  if (left.length > 0) throw new Error(`Left running after Ctrl-C:\n${left.join('\n')}`);
}

/** Processes that work in the folder or were started with a path in it. */
function processesIn(folder) {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return line.includes(folder) ? [line] : [];
    } catch {
      // It has ended since the list was made.
      return [];
    }
  });
}

function assertThat(isTrue, what, found) {
  if (!isTrue) throw new Error(`${what}: ${JSON.stringify(found)}`);
}

async function play(version) {
  const folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-first-contact-'));
  let run;
  try {
    const clone = spawnSync('git', ['clone', '-q', root, folder], { encoding: 'utf8' });
    assertThat(clone.status === 0, 'No clone was made', clone.stderr);
    run = start(version, folder);
    const demo = await demoOf(run, folder);
    const [first, again, another] = [
      await redeem(demo, 'a'),
      await redeem(demo, 'a'),
      await redeem(demo, 'b'),
    ];
    assertThat(first.status === 'COMMITTED', 'The first redemption', first);
    assertThat(again.redemption.id === first.redemption.id, 'The same request once more', again);
    assertThat(another.status === 'REFUSED', 'A second redemption', another);
    await interrupt(run, folder);
    run = start(version, folder);
    await pause(INTERRUPT_AFTER_MS);
    await interrupt(run, folder);
  } finally {
    if (run?.isRunning()) run.signal('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const version of VERSIONS) {
  const began = Date.now();
  try {
    await play(version);
    console.log(
      `npm ${version}: starts, redeems once, stops clean (${Math.round((Date.now() - began) / 1000)} s)`,
    );
  } catch (error) {
    console.error(`npm ${version}: ${error.message}`);
    process.exitCode = 1;
  }
}
