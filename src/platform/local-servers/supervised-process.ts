import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '../assert.js';
import { LocalServersError } from './local-servers.errors.js';
import { dataFolders, readIfExists } from './files.js';
import { identifyProcess, signalProcess } from './process-identity.js';
import {
  askToStop,
  removeServerRecord,
  STOP_TIMEOUT_MS,
  writeServerRecord,
  type ServerName,
} from './server-record.js';
import { spawnTethered } from './tethered-process.js';

const PROBE_PAUSE_MS = 15;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 10_000;
/** How much of a server's log is searched for the reason of its end. */
const LOG_LINES = 15;
const COMPLAINT = /\berror\b|\bfatal\b|can't|cannot|failed/i;
/** After a run of this length the backoff starts again from the first pause. */
const STABLE_AFTER_MS = 5_000;

/** How one server is run. */
export interface ServerProcess {
  readonly name: ServerName;
  readonly dataDir: string;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  /** Start it again whenever it ends by itself. */
  readonly supervise: boolean;
  /** Gives the start up. */
  readonly signal?: AbortSignal | undefined;
  readonly isReady: () => Promise<boolean>;
}

/** A server as a child process that is started again after a crash, on the same port, until stop(). */
export class SupervisedProcess {
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private readonly ending = new AbortController();
  private supervision: Promise<void> = Promise.resolve();

  constructor(private readonly spec: ServerProcess) {
    spec.signal?.addEventListener('abort', () => this.ending.abort(), { signal: this.ending.signal });
    if (spec.signal?.aborted === true) this.ending.abort();
  }

  /** Of the present process, or of the last one while a new one is about to start. */
  get pid(): number {
    return present(this.child?.pid, `The process of ${this.spec.name}`);
  }

  /** @throws LocalServersError with the server's last complaint when it does not come up. */
  async start(): Promise<void> {
    this.launch();
    if (!(await this.becomesReady())) {
      this.spec.signal?.throwIfAborted();
      throw new LocalServersError(
        `The private ${this.spec.name} did not start: ${this.lastComplaint()}. Its log is ${this.logFile()}.`,
      );
    }
    if (this.spec.supervise) this.supervision = this.superviseUntilStopped();
  }

  kill(signal: NodeJS.Signals): void {
    if (this.isRunning()) signalProcess(this.pid, signal);
  }

  /** Turns supervision off first, then ends the server: kindly, and by force after 20 seconds. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.supervision;
    if (this.isRunning()) {
      askToStop(this.pid);
      const force = setTimeout(() => {
        this.spec.log(`The private ${this.spec.name} did not stop within ${STOP_TIMEOUT_MS} ms; killing it.`);
        this.kill('SIGKILL');
      }, STOP_TIMEOUT_MS);
      await this.exited;
      clearTimeout(force);
    }
    removeServerRecord(this.spec.dataDir, this.spec.name);
  }

  private isRunning(): boolean {
    return this.child?.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private launch(): void {
    const { name, dataDir, command, args, env, log } = this.spec;
    const output = openSync(this.logFile(), 'a', 0o600);
    const child = spawnTethered(command, args, { env, cwd: dataDir, output });
    closeSync(output);
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        resolve();
      });
      child.on('error', (error) => {
        log(`${command} could not be run: ${error.message}`);
        resolve();
      });
    });
    if (child.pid === undefined) return;
    const identity = identifyProcess(child.pid);
    if (identity !== undefined) writeServerRecord(dataDir, name, identity);
  }

  /** Waits as long as the process lives, because recovery after a crash takes its time; false when it ended or must. */
  private async becomesReady(): Promise<boolean> {
    while (this.isRunning() && !this.ending.signal.aborted) {
      if (await this.spec.isReady()) return this.isRunning();
      await sleep(PROBE_PAUSE_MS);
    }
    return false;
  }

  private async superviseUntilStopped(): Promise<void> {
    const { name, port, log } = this.spec;
    const { signal } = this.ending;
    const stopping = new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    let backoffMs = BACKOFF_MIN_MS;
    while (!signal.aborted) {
      const since = performance.now();
      await Promise.race([this.exited, stopping]);
      if (signal.aborted) return;
      if (performance.now() - since > STABLE_AFTER_MS) backoffMs = BACKOFF_MIN_MS;
      const how = this.child?.signalCode ?? `exit code ${String(this.child?.exitCode)}`;
      log(
        `The private ${name} ended by itself (${how}); starting it again on port ${port} in ${backoffMs} ms.`,
      );
      await sleep(backoffMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
      this.launch();
      if (await this.becomesReady())
        log(`The private ${name} is back on port ${port} (process ${this.pid}).`);
    }
  }

  private logFile(): string {
    return path.join(dataFolders(this.spec.dataDir).logs, `${this.spec.name}.log`);
  }

  /** The server's own word for what is wrong; the lines after it only say that it gives up. */
  private lastComplaint(): string {
    const lines = (readIfExists(this.logFile()) ?? '').trimEnd().split('\n').slice(-LOG_LINES);
    const complaints = lines.filter((line) => COMPLAINT.test(line) && !/Aborting\s*$/.test(line));
    return (complaints.at(-1) ?? lines.at(-1) ?? '').replace(/^.*?\[ERROR\]\s*|[\s.]+$/g, '');
  }
}
