import type { MikroORM } from '@mikro-orm/core';
import { isStoreAway } from '../platform/failures.js';
import type { Id } from '../platform/ids.js';
import { systemEm } from '../platform/database/orm.js';
import type { Logger } from '../platform/observability/log.js';
import { JobFailedError } from '../platform/queue/job-failed-error.js';
import type { JobQueue } from '../platform/queue/job-queue.js';
import type { BatchChangeService } from './batch-change.service.js';
import type { BatchGeneration, BatchKey, RunOutcome } from './batch-generation.service.js';
import type { BatchFailure, CodeBatch } from './code-batch.entity.js';
import { CodesCollidedError } from './code-chunk-writer.js';

/** How long a worker stays with one batch before it turns to the others. */
const PART_MS = 2000;
/** When a job is delivered again. The process that has overtaken this one may die. */
const AGAIN_MS: Readonly<Record<RunOutcome, number | null>> = { FINISHED: null, OVERTAKEN: 5000, STOPPED: 0 };
const AGAIN_AFTER_FAILURE_MS = 1000;
const UNFINISHED_AT_ONCE = 1000;

export type BatchQueue = JobQueue<BatchKey>;

/** The jobs of large batches. However often one is delivered, and to how many workers, each code is made once. */
export class BatchJobs {
  private isStopping = false;

  constructor(
    private readonly queue: BatchQueue,
    private readonly generation: BatchGeneration,
    private readonly changes: Pick<BatchChangeService, 'fail'>,
    private readonly orm: MikroORM,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.queue.start(async (key, _attempt, isLast) => this.work(key, isLast));
  }

  /** Ends with the chunk under way; the job goes back to the queue. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.queue.close();
  }

  /** One delivery. @returns after how many milliseconds to deliver it again; null when nothing is left to do @throws JobFailedError */
  async work(key: BatchKey, isLast: boolean): Promise<number | null> {
    const untilMs = performance.now() + PART_MS;
    let chunks = 0;
    try {
      const outcome = await this.generation.run(key, {
        mayGoOn: () => !this.isStopping && performance.now() < untilMs,
        onChunk: () => void (chunks += 1),
      });
      return AGAIN_MS[outcome];
    } catch (error) {
      const reason = reasonOf(error);
      // Only a delivery that stored nothing uses an attempt up; and an outage fails no batch, which waits for its end.
      if (chunks > 0) return this.again(key, error);
      if (!isLast || reason === 'STORE_UNAVAILABLE') throw new JobFailedError(reason, error);
      if (!(await this.changes.fail(key.tenantId, key.batchId, reason)))
        throw new JobFailedError(reason, error);
      this.log.error({ err: error, ...key, reason }, 'the generation of a batch has failed');
      return 0;
    }
  }

  /** Batches whose job was never added, was lost with Redis, or was given up. */
  async addUnfinished(): Promise<void> {
    const rows = await systemEm(this.orm).execute<{ tenantId: string; id: Id }[]>(
      `select tenant_id as tenantId, cast(id as char) as id from code_batch force index (ix_code_batch__status)
        where (status in ('PENDING', 'GENERATING') and recipe is not null) or (status in ('FAILED', 'CANCELLED') and \`generated\` > 0)
        limit ${UNFINISHED_AT_ONCE}`,
    );
    for (const row of rows) await addBatchJob(this.queue, row);
  }

  private again(key: BatchKey, error: unknown): number {
    this.log.warn({ err: error, ...key }, 'a chunk of a batch failed, trying again');
    return AGAIN_AFTER_FAILURE_MS;
  }
}

/** Hands a batch to the workers. Adding it again only retries a dead job. @throws StoreUnavailableError */
export async function addBatchJob(
  queue: BatchQueue,
  { tenantId, id: batchId }: Pick<CodeBatch, 'tenantId' | 'id'>,
): Promise<void> {
  const jobId = `b${batchId}_${tenantId}`;
  await queue.add(jobId, { tenantId, batchId });
  await queue.redrive(jobId);
}

function reasonOf(error: unknown): BatchFailure | 'STORE_UNAVAILABLE' {
  if (error instanceof CodesCollidedError) return 'CODES_COLLIDE';
  return isStoreAway(error) ? 'STORE_UNAVAILABLE' : 'RETRIES_EXHAUSTED';
}
