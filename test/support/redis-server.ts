import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePort, probe } from '../../src/platform/local-servers/loopback.js';
import { readServerBinaries, serverEnvironment } from '../../src/platform/local-servers/server-binaries.js';
import { spawnTethered } from '../../src/platform/local-servers/tethered-process.js';

/** A Redis of one test file, on a port that it keeps, which can be stopped, killed, held and given other data. */
export class RedisServer {
  private child: ChildProcess | null = null;
  private exited: Promise<unknown> = Promise.resolve();

  readonly dir: string;
  readonly port: number;

  private constructor(dir: string, port: number) {
    this.dir = dir;
    this.port = port;
  }

  /** Durable as operations asks for it, unless the arguments say otherwise. */
  static async start(...args: string[]): Promise<RedisServer> {
    const server = new RedisServer(
      mkdtempSync(path.join(tmpdir(), 'redeemkit-redis-')),
      await findFreePort(),
    );
    await server.start(...args);
    return server;
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
    while (!(await probe(this.port, 'PING\r\nQUIT\r\n', (reply) => /\+PONG|-NOAUTH/.test(String(reply))))) {
      const { exitCode = null, signalCode = null } = this.child ?? {};
      if (exitCode !== null || signalCode !== null)
        throw new Error(`Redis ended before it answered: ${exitCode ?? signalCode}.`);
      await pause(10);
    }
  }

  /** The same without waiting: it may be reading its data. */
  launch(...args: string[]): void {
    const binary = readServerBinaries().redis;
    const settings = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.dir, '--save', ''];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
    const child = spawnTethered(binary.server, [...settings, ...durable, ...args], {
      env: serverEnvironment(binary),
      output: 'ignore',
    });
    this.child = child;
    this.exited = once(child, 'exit');
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
