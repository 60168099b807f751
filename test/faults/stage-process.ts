import { setTimeout as pause } from 'node:timers/promises';
import { startProcess, type ProcessSettings, type RunningProcess } from '../support/processes.js';
import type { ProcessName, StageProcess } from './stage-parts.js';

const STOP_WITHIN_MS = 5000;

/** The built program under a name that stays, however often it is killed and started. */
export class NamedProcess implements StageProcess {
  readonly name: ProcessName;
  private readonly settings: ProcessSettings;
  private running: RunningProcess | null = null;
  private starting: Promise<void> | null = null;
  /** By its earlier starts. */
  private saidBefore = '';
  private isRetired = false;

  constructor(name: ProcessName, settings: ProcessSettings) {
    this.name = name;
    this.settings = settings;
  }

  get pid(): number {
    if (this.running === null) throw new Error(`${this.name} does not run.`);
    return this.running.pid;
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  /** Where it listens; null while it does not. */
  get port(): number | null {
    return this.running === null ? null : Number(new URL(this.running.url).port);
  }

  said(): string {
    return this.saidBefore + (this.running?.said() ?? '');
  }

  forgetSaid(): void {
    this.saidBefore = '';
    this.running?.forgetSaid();
  }

  async start(): Promise<void> {
    if (this.running !== null) return;
    if (this.isRetired) throw new Error(`${this.name} is not started any more.`);
    this.starting ??= this.launch();
    try {
      await this.starting;
    } finally {
      this.starting = null;
    }
  }

  private async launch(): Promise<void> {
    this.running = await startProcess(this.settings);
  }

  async kill(): Promise<void> {
    const gone = this.forget();
    await gone?.kill();
  }

  /** Stops it without a restart, also while it is being started. */
  async retire(): Promise<void> {
    this.isRetired = true;
    await this.starting?.catch(() => undefined);
    await this.stop();
  }

  /** As an operator stops it; by force where it does not listen to that. */
  async stop(): Promise<void> {
    const gone = this.forget();
    if (gone === null) return;
    process.kill(gone.pid, 'SIGCONT');
    await Promise.race([gone.stop().catch(() => undefined), pause(STOP_WITHIN_MS, null, { ref: false })]);
    await gone.kill();
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    process.kill(this.pid, name);
  }

  private forget(): RunningProcess | null {
    const { running } = this;
    this.saidBefore = this.said();
    this.running = null;
    return running;
  }
}
