import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnTethered } from '../../src/platform/local-servers/tethered-process.js';
import { TEST_SECRETS } from './world.js';

const MAIN = path.resolve(import.meta.dirname, '../../dist/main.js');
/** Processes that are started over and over need not compile the same sources each time. */
export const COMPILED = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache') };
const LISTENS = /Redeemkit listens on (\S+)\/graphql/;
/** They only end what hangs: on a busy machine private servers, a migration and a start take most of a minute. */
const START_MS = 150_000;
const STOP_MS = 60_000;

export interface ProcessSettings {
  readonly role?: 'all' | 'api' | 'worker';
  /** Another build's `main.js`. */
  readonly entry?: string;
  /** The folder in which it is started; this one by default. */
  readonly cwd?: string;
  /** Both or neither, as in the configuration. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** What else is set, or with "" not set; a process gets nothing of the tests' own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ExitedProcess {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built program, started as an operator starts it. */
export interface RunningProcess {
  /** Where it listens, without `/graphql`. */
  readonly url: string;
  readonly pid: number;
  /** Its output so far: messages for people, and its log. */
  said(): string;
  /** From now on the output begins here; a long run would hold all of it. */
  forgetSaid(): void;
  /** Resolves when it is gone. */
  readonly exited: Promise<ExitedProcess>;
  /** Sends SIGTERM, and fails unless it ends with exit code 0. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** Starts the built program, and waits until it listens. */
export async function startProcess(settings: ProcessSettings): Promise<RunningProcess> {
  const started = spawnProcess(settings);
  const { child, exited, said, forgetSaid } = started;
  const url = await listening(started);
  const stop = async (signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    const gone = await Promise.race([exited, pause(STOP_MS, null, { ref: false })]);
    if (gone?.code === 0) return;
    child.kill('SIGKILL');
    throw new Error(`It did not stop cleanly (${JSON.stringify(gone)}).\n${said()}`);
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { url, pid: child.pid ?? 0, said, forgetSaid, exited, stop, kill };
}

/** Loaded before the program, it makes a process say how many requests it has taken; see {@link requestsTakenBy}. */
export const COUNTS_REQUESTS = {
  NODE_OPTIONS: `--import ${path.resolve(import.meta.dirname, 'count-requests.mjs')}`,
};

/** How many requests a process that {@link COUNTS_REQUESTS} has begun to answer. */
export function requestsTakenBy({ said }: RunningProcess): number {
  return Number([...said().matchAll(/^requests taken: (\d+)$/gm)].at(-1)?.[1] ?? 0);
}

export interface SpawnedProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<ExitedProcess>;
  said(): string;
  forgetSaid(): void;
}

/** Starts the built program without waiting: for starts that are meant to fail. */
export function spawnProcess({
  role,
  entry,
  cwd,
  databaseUrl,
  redisUrl,
  environment,
}: ProcessSettings): SpawnedProcess {
  // A run that ends early, for whatever reason, leaves none of them behind.
  const child = spawnTethered(process.execPath, [entry ?? MAIN], {
    output: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      ...COMPILED,
      NODE_ENV: 'test',
      PORT: '0',
      LOG_LEVEL: 'warn',
      JWT_SECRET: TEST_SECRETS.jwtSecret,
      CODE_PEPPER: TEST_SECRETS.codePepper,
      ROLE: role ?? 'all',
      DATABASE_URL: databaseUrl ?? '',
      REDIS_URL: redisUrl ?? '',
      ...environment,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => (text += chunk));
  }
  const exited = new Promise<ExitedProcess>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  return { child, exited, said: () => text, forgetSaid: () => void (text = '') };
}

async function listening({ child, exited, said }: SpawnedProcess): Promise<string> {
  const giveUp = AbortSignal.timeout(START_MS);
  let gone: ExitedProcess | null = null;
  void exited.then((how) => (gone = how));
  for (;;) {
    const url = LISTENS.exec(said())?.[1];
    if (url !== undefined) return url;
    if (gone !== null || giveUp.aborted) {
      child.kill('SIGKILL');
      throw new Error(`It does not listen (${JSON.stringify(gone)}).\n${said()}`);
    }
    await pause(20);
  }
}
