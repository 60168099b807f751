import type { Config } from '../config.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { JobQueue } from '../platform/queue/job-queue.js';
import type { LoopTurns } from '../platform/scheduling/loop-turns.js';
import type { Job } from '../platform/scheduling/job.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { BatchChangeService, type EnqueueBatch } from './batch-change.service.js';
import { BatchCodes } from './batch-codes.service.js';
import { BatchGeneration } from './batch-generation.service.js';
import { addBatchJob, BatchJobs, type BatchQueue } from './batch.jobs.js';
import { CodeChunkWriter } from './code-chunk-writer.js';
import type { CodeDigester } from './code-digester.js';
import { CodeGenerationService } from './code-generation.service.js';
import { CodeIssuer } from './code-issuer.js';
import type { CodeRefresh } from './code-refresh.js';
import type { CodeMetrics } from './code.metrics.js';
import type { GuessSafety } from './guess-safety.service.js';
import { SealedCodes } from './sealed-codes.service.js';
import { ShownCodes } from './shown-codes.redis.js';

const ATTEMPTS = 10;
const BACKOFF_MS_MAX = 60_000;
/** A process works at this number of batches, each of another tenant. */
const BATCHES_AT_ONCE = 2;
/** A killed worker's batch is taken over after it; chunks are guarded by the batch's row, not by this. */
const LEASE_MS = 5000;
const UNFINISHED_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 600_000;

export interface GenerationNeeds extends Pick<
  PlatformServices,
  'orm' | 'redis' | 'clock' | 'ids' | 'transactions' | 'outbox' | 'log'
> {
  readonly config: Config;
  readonly redisUrl: string;
  readonly shares: { readonly turns: LoopTurns };
  readonly metrics: CodeMetrics;
  readonly tenants: TenantService;
  readonly digester: CodeDigester;
  readonly refresh: CodeRefresh;
  readonly guesses: GuessSafety;
}

/** What makes codes: small batches at once, large ones by jobs. */
export function composeGeneration(its: GenerationNeeds) {
  const {
    config,
    orm,
    redis,
    redisUrl,
    clock,
    transactions,
    outbox,
    tenants,
    log,
    digester,
    refresh,
    guesses,
  } = its;
  const queue: BatchQueue = new JobQueue({
    redis,
    redisUrl,
    name: 'code-generation',
    log,
    commandTimeoutMs: config.STORE_TIMEOUT_MS,
    attempts: ATTEMPTS,
    backoffMaxMs: BACKOFF_MS_MAX,
    leaseMs: LEASE_MS,
    concurrency: BATCHES_AT_ONCE,
    share: { ownerOf: ({ tenantId }) => tenantId, max: 1 },
  });
  // The row is committed: a batch whose job was not added is found by the workers.
  const enqueue: EnqueueBatch = async (batch) =>
    addBatchJob(queue, batch).catch((error: unknown) =>
      log.warn(
        { err: error, tenantId: batch.tenantId, batchId: batch.id },
        'a batch waits for a worker to find it',
      ),
    );
  const batchChanges = new BatchChangeService(
    transactions,
    clock,
    outbox,
    tenants,
    refresh,
    guesses,
    enqueue,
  );
  const writer = new CodeChunkWriter(its.ids, digester, async (tenantId) =>
    its.shares.turns.next({ tenantId, kind: 'STAFF', id: '' }),
  );
  const sealed = new SealedCodes(orm, digester);
  const generation = new CodeGenerationService({
    orm,
    transactions,
    tenants,
    refresh,
    enqueue,
    issuer: new CodeIssuer(its.ids, clock, outbox, tenants, writer, guesses),
    shown: new ShownCodes(redis, digester, config.HASHED_CODES_FETCH_S, log),
    onGenerated: (campaignId, count) =>
      its.metrics.codesGenerated.inc({ campaign: its.metrics.campaignLabel(campaignId) }, count),
  });
  const announce = generation.announce.bind(generation);
  const batchGeneration = new BatchGeneration({ orm, transactions, clock, outbox, writer, sealed, announce });
  const jobs = new BatchJobs(queue, batchGeneration, batchChanges, orm, log);
  return {
    services: { batchChanges, generation, batchGeneration, batchCodes: new BatchCodes(orm, sealed) },
    jobs: jobsOf(jobs, sealed, log),
  };
}

function jobsOf(batches: BatchJobs, sealed: SealedCodes, log: GenerationNeeds['log']): Job[] {
  return [
    { name: 'code generation', start: () => batches.start(), stop: async () => batches.stop() },
    {
      name: 'unfinished batches',
      everyMs: UNFINISHED_EVERY_MS,
      where: 'IN_ONE',
      run: async () => batches.addUnfinished(),
    },
    {
      name: 'codes not fetched',
      everyMs: PRUNE_EVERY_MS,
      where: 'IN_EACH',
      run: async (signal) => {
        const pruned = await sealed.prune(signal);
        if (pruned > 0)
          log.info({ pruned }, 'codes of HASHED batches were not fetched in time, and are deleted');
      },
    },
  ];
}
