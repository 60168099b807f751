import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePort, probe } from '../../src/platform/local-servers/loopback.js';
import { readServerBinaries, serverEnvironment } from '../../src/platform/local-servers/server-binaries.js';
import { spawnTethered } from '../../src/platform/local-servers/tethered-process.js';

const PORT_ATTEMPTS_MAX = 3;
/** Of its output, in the error of a server that ended. */
const LINES_SHOWN = 5;
/** Redis listens when it says so. */
const LISTENS = 'Server initialized';

/** The server ended because another program listened on one of its ports. */
class PortTakenError extends Error {}

/** Another program may take a port between the search and the start; then new ones are tried. */
export async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt >= PORT_ATTEMPTS_MAX) throw error;
    }
  }
}

/** A Redis of one test file, on a port that it keeps, which can be stopped, killed, held and given other data. */
export class RedisServer {
  private child: ChildProcess | null = null;
  private exited: Promise<unknown> = Promise.resolve();
  /** What it said since it was launched. */
  private printed = '';

  readonly dir: string;
  readonly port: number;

  private constructor(dir: string, port: number) {
    this.dir = dir;
    this.port = port;
  }

  /** Durable as operations asks for it, unless the arguments say otherwise. */
  static async start(...args: string[]): Promise<RedisServer> {
    return onFreePorts(async () => {
      const server = new RedisServer(
        mkdtempSync(path.join(tmpdir(), 'redeemkit-redis-')),
        await findFreePort(),
      );
      try {
        await server.start(...args);
        return server;
      } catch (error) {
        await server.close();
        throw error;
      }
    });
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Starts it on its port with the data of its folder; resolves when it answers. */
  async start(...args: string[]): Promise<void> {
    this.launch(...args);
    await this.loaded();
  }

  /** Resolves when it answers, or asks for a password; fails when it ends before. */
  async loaded(): Promise<void> {
    while (!(await this.answers())) {
      const { exitCode = null, signalCode = null } = this.child ?? {};
      if (exitCode !== null || signalCode !== null) throw await this.failure(exitCode ?? signalCode);
      await pause(10);
    }
  }

  /** Before it listens, a server of another program may answer at its port. */
  private async answers(): Promise<boolean> {
    if (!this.printed.includes(LISTENS)) return false;
    return probe(this.port, 'PING\r\nQUIT\r\n', (reply) => /\+PONG|-NOAUTH/.test(String(reply)));
  }

  private async failure(how: number | NodeJS.Signals | null): Promise<Error> {
    await this.exited;
    const said = this.printed.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
    const message = `Redis on port ${this.port} ended before it answered (${how}):\n${said}`;
    return new (/address already in use/i.test(this.printed) ? PortTakenError : Error)(message);
  }

  /** The same without waiting: it may be reading its data. */
  launch(...args: string[]): void {
    const binary = readServerBinaries().redis;
    const settings = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.dir, '--save', ''];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
    const child = spawnTethered(binary.server, [...settings, ...durable, ...args], {
      env: serverEnvironment(binary),
      output: 'pipe',
    });
    this.printed = '';
    for (const output of [child.stdout, child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => (this.printed += text));
    this.child = child;
    this.exited = once(child, 'close');
  }

  /** SIGSTOP pauses it, SIGCONT resumes it. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.exited;
  }

  /** Ends it in good order: its log is on disk. */
  async stop(): Promise<void> {
    this.child?.kill('SIGTERM');
    await this.exited;
  }

  /** A copy of its data as they are on disk now; the answer puts them back, for which it must be down. */
  snapshot(): () => void {
    const copy = mkdtempSync(path.join(tmpdir(), 'redeemkit-redis-old-'));
    cpSync(this.dir, copy, { recursive: true });
    return () => {
      rmSync(this.dir, { recursive: true });
      cpSync(copy, this.dir, { recursive: true });
      rmSync(copy, { recursive: true });
    };
  }

  /** Whether a text has reached the log of its commands on disk. */
  holds(text: string): boolean {
    const files = readdirSync(this.dir, { recursive: true, withFileTypes: true }).filter((each) =>
      each.isFile(),
    );
    return files.some(({ parentPath, name }) => readFileSync(path.join(parentPath, name)).includes(text));
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
