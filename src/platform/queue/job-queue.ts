import { DelayedError, Queue, Worker, type Job } from 'bullmq';
import { asRedisFailure, connectRedis, connectRedisWaiter, type Redis } from '../redis/redis.js';
import { redisNowMs } from '../redis/redis-nodes.js';
import { StoreUnavailableError } from '../errors.js';
import type { Logger } from '../observability/log.js';
import { within } from '../scheduling/timeout.js';
import { OwnerTurns } from './owner-turns.js';

/** One hash tag for all queues that are not divided, apart from those of the tenants. */
const PREFIX = '{bull}';
const COMPLETED_KEPT = 1000;
const COMPLETED_KEPT_S = 24 * 3600;
const ATTEMPTS_DEFAULT = 10;
/** Workers that died on a job, one after another, before it is given up; a job is rarely their reason. */
const STALLED_MAX = 10;
/** A running job renews its lease twice in this time; the job of a process that died is taken over after it. */
const LEASE_MS = 10_000;

export interface JobQueueSettings<T> {
  readonly redisUrl: string;
  /** A connection to share; without one the queue has its own. */
  readonly redis?: Redis;
  readonly name: string;
  /** Before the names of its keys, with the hash tag that they share; {@link PREFIX} by default. */
  readonly prefix?: string;
  readonly log: Logger;
  /** How long {@link JobQueue.add} and the look-ups wait for Redis. */
  readonly commandTimeoutMs: number;
  readonly attempts?: number;
  /** The first pause after a failure; each further one is twice as long, and up to a half of each is by chance. */
  readonly backoffMs?: number;
  /** The longest pause. */
  readonly backoffMaxMs?: number;
  readonly concurrency?: number;
  /** After how long the job of a process that died is taken over; {@link LEASE_MS} by default. */
  readonly leaseMs?: number;
  /** How many jobs of one owner a process works at; one that would be one too many waits its turn behind the others. */
  readonly share?: { readonly ownerOf: (data: T) => string; readonly max: number };
}

/** A job that was given up. */
export interface DeadJob<T> {
  readonly id: string;
  readonly data: T;
  /** The message of the last failure. */
  readonly reason: string;
  readonly attempts: number;
  readonly sinceMs: number;
}

/**
 * Jobs that outlive their process, at least once each. A job that fails is tried again with growing pauses; one that
 * fails for good is kept for the operators. Payloads hold neither secrets nor whole codes.
 */
export class JobQueue<T extends object> {
  private readonly redis: Redis;
  private readonly queue: Queue<T, void>;
  private worker: Worker<T, void> | null = null;
  private workerRedis: Redis | null = null;
  private readonly turns: OwnerTurns | null;
  private readonly prefix: string;

  constructor(private readonly settings: JobQueueSettings<T>) {
    this.turns = settings.share === undefined ? null : new OwnerTurns(settings.share.max);
    this.prefix = settings.prefix ?? PREFIX;
    this.redis = settings.redis ?? connectRedis(settings.redisUrl, settings.commandTimeoutMs);
    this.queue = new Queue(settings.name, {
      connection: this.redis,
      prefix: this.prefix,
      // It would ask Redis once, and fail for good if Redis did not answer at that moment.
      skipVersionCheck: true,
      defaultJobOptions: {
        attempts: settings.attempts ?? ATTEMPTS_DEFAULT,
        backoff: { type: 'growing' },
        stackTraceLimit: 1,
        removeOnComplete: { count: COMPLETED_KEPT, age: COMPLETED_KEPT_S },
        removeOnFail: false,
      },
    });
    this.queue.on('error', (error) =>
      settings.log.warn({ err: error, queue: settings.name }, 'queue failed'),
    );
  }

  /**
   * Hands in a job; the same id again changes nothing while the first one is known (running, waiting, failed, or
   * done within a day).
   * @param id Anything but a number alone; without colons.
   * @throws StoreUnavailableError
   */
  async add(id: string, data: T, options: { readonly delayMs?: number } = {}): Promise<void> {
    const { name } = this.settings;
    const { delayMs = 0 } = options;
    // A delay counts from the instant of the job, and by clocks of others: a process whose own is an hour ahead would
    // add what no worker takes for an hour. So the instant is Redis'.
    const instant = delayMs === 0 ? {} : { timestamp: await this.nowMs() };
    await this.ask((this.queue as Queue).add(name, data, { jobId: id, delay: delayMs, ...instant }));
  }

  private async nowMs(): Promise<number> {
    return this.ask(redisNowMs(this.redis, this.prefix));
  }

  /** Has a job done again and again, once per interval however many processes ask for it. @throws StoreUnavailableError */
  async repeat(id: string, everyMs: number, data: T): Promise<void> {
    const { name } = this.settings;
    await this.ask((this.queue as Queue).upsertJobScheduler(id, { every: everyMs }, { name, data }));
  }

  /**
   * Begins to work. The handler may meet a job twice, after a crash; the process that added the job says which attempt is
   * the last. Long work is done in parts: a handler that answers a number gets the job again after that many
   * milliseconds, behind those that wait, and that is no further attempt.
   */
  start(handler: (data: T, attempt: number, isLast: boolean) => Promise<number | null | void>): void {
    const { redisUrl, name, log, concurrency = 4, leaseMs = LEASE_MS } = this.settings;
    const { backoffMs = 1000, backoffMaxMs = Infinity } = this.settings;
    if (this.worker !== null) return;
    this.workerRedis = connectRedisWaiter(redisUrl);
    this.worker = new Worker<T, void>(
      name,
      async (job, token) =>
        this.inTurn(
          job,
          token,
          async () => (await handler(job.data, job.attemptsMade + 1, isLastAttempt(job))) ?? null,
        ),
      {
        connection: this.workerRedis,
        prefix: this.prefix,
        concurrency,
        lockDuration: leaseMs,
        stalledInterval: leaseMs / 2,
        maxStalledCount: STALLED_MAX,
        settings: { backoffStrategy: (failures) => pauseMs(failures, backoffMs, backoffMaxMs) },
      },
    );
    this.worker.on('error', (error) => log.warn({ err: error, queue: name }, 'worker failed'));
    this.worker.on('failed', (job, error) => this.logFailure(job, error));
  }

  /** Putting a job off is no attempt. */
  private async inTurn(
    job: Job<T, void>,
    token: string | undefined,
    work: () => Promise<number | null>,
  ): Promise<void> {
    const owner = this.settings.share?.ownerOf(job.data) ?? '';
    const delayMs = this.turns === null ? await work() : await this.turns.during(owner, work);
    if (delayMs === null) return;
    await job.moveToDelayed((await this.nowMs()) + Math.round(delayMs), token);
    throw new DelayedError();
  }

  /** What a job was handed in with, unless it is done or not known. @throws StoreUnavailableError */
  async find(id: string): Promise<T | null> {
    const job = await this.ask(this.queue.getJob(id));
    if (job === undefined || (await this.ask(job.isCompleted()))) return null;
    return job.data as T;
  }

  /** Ids of jobs that were given up, the latest first. @throws StoreUnavailableError */
  async deadIds(max: number): Promise<string[]> {
    return this.ask(this.queue.getRanges(['failed'], 0, max - 1, false));
  }

  /** Those of these jobs that were given up. @throws StoreUnavailableError */
  async dead(ids: readonly string[]): Promise<DeadJob<T>[]> {
    const jobs = await this.ask(Promise.all(ids.map(async (id) => this.queue.getJob(id))));
    return jobs.flatMap((job) => {
      if (job?.id === undefined || job.finishedOn === undefined || job.finishedOn === 0) return [];
      const { id, failedReason: reason, attemptsMade: attempts, finishedOn: sinceMs } = job;
      return [{ id, data: job.data as T, reason, attempts, sinceMs }];
    });
  }

  /** Retries a dead job from its first attempt. @returns whether it was given up */
  async redrive(id: string): Promise<boolean> {
    const job = await this.ask(this.queue.getJob(id));
    if (job === undefined || !(await this.ask(job.isFailed()))) return false;
    try {
      await this.ask(job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true }));
      return true;
    } catch (error) {
      // Another process has just done it.
      if (await this.ask(job.isFailed())) throw error;
      return false;
    }
  }

  /** Retries jobs that have been dead for this long, the oldest first. @returns how many */
  async redriveOlder(ageMs: number, max: number): Promise<number> {
    const ids = await this.ask(this.queue.getRanges(['failed'], 0, max - 1, true));
    const beforeMs = (await this.nowMs()) - ageMs;
    const old = (await this.dead(ids)).filter(({ sinceMs }) => sinceMs <= beforeMs);
    const redriven = await Promise.all(old.map(async ({ id }) => this.redrive(id)));
    return redriven.filter(Boolean).length;
  }

  /** Drops jobs with their data, except those that a worker is at. @throws StoreUnavailableError */
  async forget(ids: readonly string[]): Promise<void> {
    // It answers whether there was such a job, and that it was free.
    for (const id of ids) await this.ask(this.queue.remove(id));
  }

  /** How many jobs are yet to be done, and how many were given up. @throws StoreUnavailableError */
  async counts(): Promise<{ readonly pending: number; readonly dead: number }> {
    const counts = await this.ask(
      this.queue.getJobCounts('wait', 'active', 'delayed', 'prioritized', 'failed'),
    );
    const { failed: dead = 0, ...others } = counts;
    return { dead, pending: Object.values(others).reduce((sum, count) => sum + count, 0) };
  }

  /** Waits for the jobs under way, then lets go of Redis. */
  async close(): Promise<void> {
    await this.worker?.close();
    await this.queue.close();
    this.workerRedis?.disconnect();
    if (this.settings.redis === undefined) this.redis.disconnect();
  }

  private async ask<R>(work: Promise<R>): Promise<R> {
    try {
      return await within(this.settings.commandTimeoutMs, 'redis', work);
    } catch (error) {
      throw error instanceof StoreUnavailableError ? error : asRedisFailure(error);
    }
  }

  private logFailure(job: Job<T, void> | undefined, error: Error): void {
    const fields = { err: error, queue: this.settings.name, jobId: job?.id, attempt: job?.attemptsMade };
    // Not by its attempts: a job on which worker after worker died is given up whatever it has left of them.
    const isGivenUp = job?.finishedOn !== undefined && job.finishedOn > 0;
    if (isGivenUp) this.settings.log.error(fields, 'job was given up');
    else this.settings.log.warn(fields, 'job failed, trying again');
  }
}

function isLastAttempt({ attemptsMade, opts }: Pick<Job, 'attemptsMade' | 'opts'>): boolean {
  return attemptsMade + 1 >= (opts.attempts ?? 1);
}

/** Grows with each failure; a part by chance, so that jobs that failed together do not come back together. */
function pauseMs(failures: number, firstMs: number, mostMs: number): number {
  const longestMs = Math.min(firstMs * 2 ** (failures - 1), mostMs);
  return Math.round(longestMs * (0.5 + Math.random() / 2));
}
