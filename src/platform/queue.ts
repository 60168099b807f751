import { Queue, Worker, type Job } from 'bullmq';
import { asRedisFailure, connectRedis, connectRedisWaiter, type Redis } from './redis/redis.js';
import type { Logger } from './log.js';

/** One hash tag for all queues, apart from those of the tenants. */
const PREFIX = '{bull}';
const COMPLETED_KEPT = 1000;
const COMPLETED_KEPT_S = 24 * 3600;

export interface JobQueueSettings {
  readonly redisUrl: string;
  readonly name: string;
  readonly log: Logger;
  /** How long {@link JobQueue.add} waits for Redis. */
  readonly commandTimeoutMs: number;
  readonly attempts?: number;
  /** The first pause after a failure; each further one is twice as long. */
  readonly backoffMs?: number;
  readonly concurrency?: number;
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

  constructor(private readonly settings: JobQueueSettings) {
    this.redis = connectRedis(settings.redisUrl, settings.commandTimeoutMs);
    this.queue = new Queue(settings.name, {
      connection: this.redis,
      prefix: PREFIX,
      defaultJobOptions: {
        attempts: settings.attempts ?? 10,
        backoff: { type: 'exponential', delay: settings.backoffMs ?? 1000, jitter: 0.5 },
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
    try {
      await (this.queue as Queue).add(this.settings.name, data, { jobId: id, delay: options.delayMs ?? 0 });
    } catch (error) {
      throw asRedisFailure(error);
    }
  }

  /** Has a job done again and again, once per interval however many processes ask for it. @throws StoreUnavailableError */
  async repeat(id: string, everyMs: number, data: T): Promise<void> {
    try {
      await (this.queue as Queue).upsertJobScheduler(
        id,
        { every: everyMs },
        { name: this.settings.name, data },
      );
    } catch (error) {
      throw asRedisFailure(error);
    }
  }

  /** Begins to work. The handler may meet a job twice, after a crash. */
  start(handler: (data: T, attempt: number) => Promise<void>): void {
    const { redisUrl, name, log, concurrency = 4 } = this.settings;
    if (this.worker !== null) return;
    this.workerRedis = connectRedisWaiter(redisUrl);
    this.worker = new Worker<T, void>(name, async (job) => handler(job.data, job.attemptsMade + 1), {
      connection: this.workerRedis,
      prefix: PREFIX,
      concurrency,
    });
    this.worker.on('error', (error) => log.warn({ err: error, queue: name }, 'worker failed'));
    this.worker.on('failed', (job, error) => this.logFailure(job, error));
  }

  /** Jobs that were given up. */
  async failedCount(): Promise<number> {
    return this.queue.getFailedCount();
  }

  /** Waits for the jobs under way, then lets go of Redis. */
  async close(): Promise<void> {
    await this.worker?.close();
    await this.queue.close();
    this.workerRedis?.disconnect();
    this.redis.disconnect();
  }

  private logFailure(job: Job<T, void> | undefined, error: Error): void {
    const fields = { err: error, queue: this.settings.name, jobId: job?.id, attempt: job?.attemptsMade };
    const isLast = job !== undefined && job.attemptsMade >= (job.opts.attempts ?? 1);
    if (isLast) this.settings.log.error(fields, 'job was given up');
    else this.settings.log.warn(fields, 'job failed, trying again');
  }
}
