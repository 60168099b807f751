import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { present } from '../../src/platform/assert.js';

const TYPESCRIPT = path.resolve(import.meta.dirname, '../../scripts/typescript.mjs');

/** A server that hangs must not keep the run, and its stores, from ending. */
const STOP_WITHIN_MS = 20_000;

/** Commands to the server of a run; it answers each with the processor time that it has used. */
export type ServerMessage =
  | { readonly kind: 'STOP' }
  | { readonly kind: 'CPU' }
  | { readonly kind: 'PROFILE' }
  | { readonly kind: 'WRITE_PROFILE'; readonly file: string };

/** Starts a TypeScript file of this folder. All it prints goes to stderr, because stdout belongs to the report. */
export function startChild(file: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  return fork(path.resolve(import.meta.dirname, file), {
    execArgv: ['--import', TYPESCRIPT],
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'],
    // Where the run has such a cache, its children need not compile the same sources again.
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '', ...env },
  });
}

/** The child's next message. @throws Error when it ends without one. */
export async function nextMessage(child: ChildProcess, name: string): Promise<unknown> {
  const controller = new AbortController();
  const { signal } = controller;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`The ${name} process ended by itself, with status ${String(code)}.`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }) as Promise<unknown[]>, ended]);
    return message;
  } finally {
    ended.catch(() => undefined);
    controller.abort();
  }
}

/** A server in a separate process. */
export class ServerProcess {
  readonly address: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, address: string) {
    this.child = child;
    this.address = address;
  }

  static async start(program: string, env: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const child = startChild(program, env);
    try {
      const { address } = (await nextMessage(child, 'server')) as { address: string };
      return new ServerProcess(child, address);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return present(this.child.pid, 'The id of a process that runs');
  }

  /** Processor time of the process so far. */
  async cpuMs(): Promise<number> {
    return this.ask({ kind: 'CPU' });
  }

  async profile(): Promise<void> {
    await this.ask({ kind: 'PROFILE' });
  }

  async writeProfile(file: string): Promise<void> {
    await this.ask({ kind: 'WRITE_PROFILE', file });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.send({ kind: 'STOP' } satisfies ServerMessage);
    const impatient = setTimeout(() => this.child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(impatient);
  }

  private async ask(message: ServerMessage): Promise<number> {
    const answer = nextMessage(this.child, 'server');
    this.child.send(message);
    const { cpuMs } = (await answer) as { cpuMs: number };
    return cpuMs;
  }
}
