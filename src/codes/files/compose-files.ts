import type { MikroORM } from '@mikro-orm/core';
import type { Config } from '../../config.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { JobQueue } from '../../platform/queue/job-queue.js';
import type { LoopTurns } from '../../platform/scheduling/loop-turns.js';
import type { PeriodicJob } from '../../platform/scheduling/job.js';
import type { CodeDigester } from '../code-digester.js';
import { CodeExportService } from './code-export.service.js';
import { CodeImportJobs, type ImportJob } from './code-import.jobs.js';
import { CodeImportService } from './code-import.service.js';
import { ImportFileRetention, STOPPED_KEPT_DAYS } from './import-file-retention.js';
import { ImportUploadService } from './import-upload.service.js';
import { ImportWriter, type ImportWriterParts } from './import-writer.js';

const ATTEMPTS = 10;
const BACKOFF_MS_MAX = 60_000;
/** A killed worker's import is taken over after it; pages are guarded by the import's row, not by this. */
const LEASE_MS = 5000;
const REQUEUE_EVERY_MS = 5000;
const DROP_EVERY_MS = 600_000;

interface Needs extends PlatformServices, ImportWriterParts {
  readonly shares: { readonly turns: LoopTurns };
  readonly readOrm: MikroORM;
  readonly config: Config;
  readonly redisUrl: string;
  readonly digester: CodeDigester;
}

/** Codes as files. */
export function composeFiles(its: Needs) {
  const { config, redis, redisUrl, log, digester } = its;
  const queue = new JobQueue<ImportJob>({
    redis,
    redisUrl,
    name: 'code-imports',
    log,
    commandTimeoutMs: config.STORE_TIMEOUT_MS,
    attempts: ATTEMPTS,
    backoffMaxMs: BACKOFF_MS_MAX,
    leaseMs: LEASE_MS,
    concurrency: 2,
    share: { ownerOf: ({ tenantId }) => tenantId, max: 1 },
  });
  const turn = async (tenantId: string) => its.shares.turns.next({ tenantId, kind: 'STAFF', id: '' });
  const imports = new CodeImportService({ ...its, turn, writer: new ImportWriter(its) });
  const uploads = new ImportUploadService({
    ...its,
    imports,
    digester,
    bytesMax: config.IMPORT_FILE_MAX_BYTES,
  });
  const jobs = new CodeImportJobs({ ...its, imports, uploads, queue });
  const retention = new ImportFileRetention({ ...its, imports });
  const periodic: PeriodicJob[] = [
    {
      name: 'requeue-code-imports',
      everyMs: REQUEUE_EVERY_MS,
      where: 'IN_ONE',
      run: async () => jobs.requeueLost(),
    },
    {
      name: 'drop-abandoned-uploads',
      everyMs: DROP_EVERY_MS,
      where: 'IN_ONE',
      keeps: [{ what: 'Files of stopped imports', days: STOPPED_KEPT_DAYS }],
      run: async () => retention.prune(),
    },
  ];
  return {
    imports,
    uploads,
    jobs,
    retention,
    exports: new CodeExportService(its.readOrm, turn, its.transactions),
    periodic,
  };
}
