import { setTimeout as pause } from 'node:timers/promises';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';
import type { StageStore, StoreName } from './stage-parts.js';

const GONE_POLL_MS = 5;

/** Redis or the database under a name that stays, however often it is killed and started on its data. */
export class NamedStore implements StageStore {
  readonly name: StoreName;
  readonly dataDir: string;
  private readonly launch: () => Promise<PrivateServer>;
  private server: PrivateServer;
  private alive = true;
  private isRetired = false;
  /** Before it is killed; the fault waits for it. */
  beforeKill: () => Promise<void> = async () => undefined;
  /** How often it was started. */
  startCount = 1;

  private constructor(
    name: StoreName,
    dataDir: string,
    launch: () => Promise<PrivateServer>,
    server: PrivateServer,
  ) {
    this.name = name;
    this.dataDir = dataDir;
    this.launch = launch;
    this.server = server;
  }

  static async open(
    name: StoreName,
    dataDir: string,
    launch: () => Promise<PrivateServer>,
  ): Promise<NamedStore> {
    return new NamedStore(name, dataDir, launch, await launch());
  }

  get url(): string {
    return this.server.url;
  }

  get pid(): number {
    return this.server.pid;
  }

  get isRunning(): boolean {
    return this.alive;
  }

  /** Where it listens; null while it does not run. */
  get port(): number | null {
    return this.alive ? Number(new URL(this.url).port) : null;
  }

  async kill(): Promise<void> {
    const { pid } = this;
    await this.beforeKill();
    this.alive = false;
    this.server.kill('SIGKILL');
    while (isThere(pid)) await pause(GONE_POLL_MS);
  }

  async start(): Promise<void> {
    if (this.alive) return;
    if (this.isRetired) throw new Error(`${this.name} is not started any more.`);
    // The process is gone; this gives up its lock on the data.
    await this.server.stop();
    this.server = await this.launch();
    this.startCount += 1;
    this.alive = true;
  }

  /** Stops it without a restart. */
  async retire(): Promise<void> {
    this.isRetired = true;
    this.alive = false;
    await this.server.stop();
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.server.kill(name);
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
