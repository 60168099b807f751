import { present } from '../../platform/assert.js';
import { systemEm } from '../../platform/database/orm.js';
import { ACROSS_TENANTS } from '../../platform/database/tenant-filter.js';
import { DomainError } from '../../platform/errors.js';
import { isStoreAway } from '../../platform/failures.js';
import type { Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { JobFailedError } from '../../platform/queue/job-failed-error.js';
import type { JobQueue } from '../../platform/queue/job-queue.js';
import { CodeImport } from './code-import.entity.js';
import type { ImportFailure, ImportRefusal } from './code-import.errors.js';
import { NO_FILE, type CodeImportService } from './code-import.service.js';
import { SealedFileError, type ImportUploadService } from './import-upload.service.js';

/** An import without progress for this time may have lost its job. */
const LOST_AFTER_MS = 5000;
/** Imports that {@link CodeImportJobs.requeueLost} looks at. */
const LOST_AT_ONCE = 1000;
const BEFORE_ALL: Id = '0';
const MISSING: ImportRefusal = 'IMPORT_FILE_MISSING';
const AGAIN_AFTER_FAILURE_MS = 1000;

export interface ImportJob {
  readonly tenantId: string;
  readonly importId: Id;
}

interface ImportJobParts extends Pick<PlatformServices, 'orm' | 'clock' | 'log'> {
  readonly imports: CodeImportService;
  readonly uploads: ImportUploadService;
  readonly queue: JobQueue<ImportJob>;
}

/**
 * Reads uploaded files. A worker that dies is followed by another one, which continues behind the last page; so is one
 * whose job was lost with Redis.
 */
export class CodeImportJobs {
  readonly name = 'code imports';
  private isStopping = false;
  private lastLookedAt: Id = BEFORE_ALL;

  constructor(private readonly its: ImportJobParts) {}

  start(): void {
    this.its.queue.start(async (job, _attempt, isLast) => this.work(job, isLast));
  }

  /** Ends with the page under way; the job goes back to the queue. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.its.queue.close();
  }

  /** Has a file read, from where it was left. Adding the same progress again only retries a dead job. */
  async enqueue({ tenantId, id, linesDone, progressAt }: CodeImport): Promise<void> {
    const jobId = `${tenantId}-${id}-${linesDone}-${progressAt.getTime()}`;
    await this.its.queue.add(jobId, { tenantId, importId: id });
    await this.its.queue.redrive(jobId);
  }

  /**
   * One delivery. An import that is refused, or whose last delivery fails, stops until staff let it continue.
   * @returns how soon the job is to be met again; null when nothing is left to do
   * @throws JobFailedError
   */
  async work({ tenantId, importId }: ImportJob, isLast: boolean): Promise<number | null> {
    const found = await this.its.imports.find(tenantId, importId);
    if (found === null || !found.uploadId || found.refusal || found.finishedAt) return null;
    let state = found;
    try {
      const after = await this.its.imports.run(tenantId, importId, this.its.uploads.read(found), {
        mayGoOn: () => !this.isStopping,
        onPage: (written) => void (state = written),
      });
      if (!after.finishedAt) return 0;
      // Behind the commit: a file is too large to be deleted in it. What a worker that dies leaves behind is found.
      await this.its.uploads.dropFile(found);
      return null;
    } catch (error) {
      if (error instanceof DomainError) return this.refused(state, String(error.code), error);
      if (state === found) return this.failed(state, error, isLast);
      // Only a delivery that wrote nothing uses an attempt up.
      this.its.log.warn({ err: error, tenantId, importId }, 'a page of an import failed, trying again');
      return AGAIN_AFTER_FAILURE_MS;
    }
  }

  private async refused(state: CodeImport, refusal: string, error: unknown): Promise<null> {
    if (refusal === 'IMPORT_RUNS_ELSEWHERE') return null;
    const { tenantId, id: importId } = state;
    if (await this.noteStop(state, refusal))
      this.its.log.warn({ err: error, tenantId, importId }, 'an import of codes has stopped');
    return null;
  }

  /** An outage stops no import, which waits for its end. */
  private async failed(state: CodeImport, error: unknown, isLast: boolean): Promise<null> {
    if (isStoreAway(error)) throw new JobFailedError('STORE_UNAVAILABLE', error);
    const isSealed = error instanceof SealedFileError;
    const reason: ImportFailure = isSealed ? 'IMPORT_PEPPER_MISSING' : 'RETRIES_EXHAUSTED';
    if (!isLast) throw new JobFailedError(reason, error);
    const { tenantId, id: importId } = state;
    if (await this.noteStop(state, reason))
      this.its.log.error({ err: error, tenantId, importId, reason }, 'an import of codes has failed');
    return null;
  }

  /** The time until its file is deleted begins. One whose file is not complete takes another upload. */
  private async noteStop(state: CodeImport, refusal: string): Promise<boolean> {
    const progressAt = new Date(this.its.clock.nowMs());
    return this.its.imports.change(state, { refusal, progressAt, ...(refusal === MISSING && NO_FILE) });
  }

  /**
   * Hands in imports that wait, or whose job was never added, was lost with Redis, or was given up. In the order of
   * their uploads, some at each call: so that those that fail again and again hide no others.
   */
  async requeueLost(): Promise<void> {
    const before = new Date(this.its.clock.nowMs() - LOST_AFTER_MS);
    const waiting = { finishedAt: null, refusal: null, uploadId: { $gt: this.lastLookedAt } };
    const found = await systemEm(this.its.orm).find(CodeImport, waiting, {
      orderBy: { uploadId: 'asc' },
      limit: LOST_AT_ONCE,
      disableIdentityMap: true,
      ...ACROSS_TENANTS,
    });
    for (const state of found) if (state.progressAt < before) await this.enqueue(state);
    this.lastLookedAt = (found.length < LOST_AT_ONCE ? null : found.at(-1)?.uploadId) ?? BEFORE_ALL;
  }

  /** Lets an import continue that has stopped, say for the quota. */
  async resume(state: CodeImport): Promise<CodeImport> {
    if (state.finishedAt || !state.refusal) return state;
    const progressAt = new Date(this.its.clock.nowMs());
    const change = { refusal: state.uploadId ? null : MISSING, progressAt };
    // Another call was first, or its file was deleted just now.
    if (!(await this.its.imports.change(state, change)))
      return present(await this.its.imports.find(state.tenantId, state.id), 'The import that was found');
    const resumed = { ...state, ...change };
    if (state.uploadId) await this.enqueue(resumed);
    return resumed;
  }
}
