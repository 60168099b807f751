import type { World } from '../support/world.js';

/** The processes under test: two that answer, one that works, and one that works where two are wanted. */
export type ProcessName = 'api1' | 'api2' | 'worker' | 'worker2';
export type StoreName = 'redis' | 'database';

/** One of the processes under test. It outlives its operating-system process: after {@link start} it is a new one. */
export interface StageProcess {
  readonly name: ProcessName;
  readonly pid: number;
  readonly isRunning: boolean;
  /** Its output since the stage was opened or {@link forgetSaid} was called, over all its starts. */
  said(): string;
  forgetSaid(): void;
  /** Ends it as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again; a process that runs is left alone. */
  start(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void;
}

/** Redis or the database. What it holds outlives it. */
export interface StageStore {
  readonly name: StoreName;
  /** Straight to the server, past every proxy. Changes with a start. */
  readonly url: string;
  readonly pid: number;
  readonly isRunning: boolean;
  /** Where the server keeps its files. */
  readonly dataDir: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
}

/**
 * Everything a cell plays on: servers, processes, and proxies between all of them. Shared by all cells; what a cell
 * breaks it mends before it ends.
 */
export interface StageParts {
  /** Where clients reach the two API processes: through proxies, so the addresses stay when a process is restarted. */
  readonly urls: readonly [string, string];
  readonly processes: Readonly<Record<ProcessName, StageProcess>>;
  readonly stores: Readonly<Record<StoreName, StageStore>>;
  /**
   * Services for seeding and looking, straight on the stores. Its tokens live for hours, so that a process whose clock
   * is wrong still takes them. Ask for it again after a fault: a killed store loses its connections.
   */
  world(): Promise<World>;
  close(): Promise<void>;
}
