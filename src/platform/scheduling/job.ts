/** Work that the worker role does beside requests. */
export type Job = PeriodicJob | Worker;

/** Whether a tenant is among those of this worker; also asked of work of all tenants, by a name of its own. */
export type IsOwn = (tenantId: string) => boolean;

/** For commands and tests: the caller does all. */
export const ownsAll: IsOwn = () => true;

/** Something that is done again and again. */
export interface PeriodicJob {
  readonly name: string;
  readonly everyMs: number;
  /**
   * IN_EACH: every worker process does it, each in its time, and may do it for its own tenants alone. IN_ONE: once per
   * interval, however many processes there are.
   */
  readonly where: 'IN_EACH' | 'IN_ONE';
  readonly run: (signal?: AbortSignal, isOwn?: IsOwn) => Promise<unknown>;
  /** Of a job that deletes what is old: what it deletes, and how long that is kept. */
  readonly keeps?: readonly KeptData[];
}

export interface KeptData {
  /** As staff read it. */
  readonly what: string;
  readonly days: number;
}

/** Something that works until it is stopped. */
export interface Worker {
  readonly name: string;
  start(): void;
  /** Waits for what is under way. */
  stop(): Promise<void>;
}

export function isPeriodic(job: Job): job is PeriodicJob {
  return 'everyMs' in job;
}
