import { describe, expect, it } from 'vitest';
import type { CodeImport } from '../../src/codes/files/code-import.entity.js';
import { CodeImportJobs, type ImportJob } from '../../src/codes/files/code-import.jobs.js';
import type { CodeImportService, ImportRun } from '../../src/codes/files/code-import.service.js';
import { SealedFileError, type ImportUploadService } from '../../src/codes/files/import-upload.service.js';
import { DomainError, StoreUnavailableError } from '../../src/platform/errors.js';
import { createLog } from '../../src/platform/observability/log.js';
import type { JobQueue } from '../../src/platform/queue/job-queue.js';

const JOB = { tenantId: 'T', importId: '7' };
const NOW_MS = 1_800_000_000_000;
const WITH_CODE = 'insert into code … ABCD-EFGH';

function stateOf(differing: Partial<CodeImport> = {}): CodeImport {
  const state = { tenantId: 'T', id: '7', linesDone: 0, uploadId: '8', refusal: null, finishedAt: null };
  return { ...state, ...differing } as CodeImport;
}

/** Jobs whose import writes this number of pages, and then ends this way. */
function jobsOf(pages: number, end: Error | 'FINISHED' | 'STOPPED', found = stateOf()) {
  const changes: unknown[] = [];
  let runs = 0;
  const imports = {
    find: async () => found,
    run: async (_tenantId: string, _id: string, _source: unknown, { onPage }: ImportRun) => {
      runs += 1;
      for (let page = 1; page <= pages; page += 1) onPage?.(stateOf({ linesDone: page * 1000 }));
      if (end instanceof Error) throw end;
      return stateOf({ finishedAt: end === 'FINISHED' ? new Date(NOW_MS) : null });
    },
    change: async ({ linesDone }: CodeImport, change: object) => {
      changes.push({ linesDone, ...change });
      return true;
    },
  };
  const dropped: unknown[] = [];
  const uploads = {
    read: () => [],
    dropFile: async ({ uploadId }: CodeImport) => void dropped.push(uploadId),
  };
  const jobs = new CodeImportJobs({
    orm: null as never,
    clock: { nowMs: () => NOW_MS },
    log: createLog({ level: 'silent' }),
    imports: imports as unknown as CodeImportService,
    uploads: uploads as unknown as ImportUploadService,
    queue: null as unknown as JobQueue<ImportJob>,
  });
  return { jobs, changes, dropped, runs: () => runs };
}

describe('a delivery of the job of an import', () => {
  it('drops the file of an import that it has finished, and meets one that was interrupted again at once', async () => {
    const { jobs, dropped } = jobsOf(2, 'FINISHED');
    expect(await jobs.work(JOB, false)).toBeNull();
    expect(dropped).toEqual(['8']);
    expect(await jobsOf(2, 'STOPPED').jobs.work(JOB, false)).toBe(0);
  });

  it('uses no attempt up when it fails behind a page', async () => {
    const { jobs, changes } = jobsOf(1, new Error(WITH_CODE));
    expect(await jobs.work(JOB, true)).toBe(1000);
    expect(changes).toEqual([]);
  });

  it('fails without a word of the statement, which holds codes', async () => {
    const { jobs, changes } = jobsOf(0, new Error(WITH_CODE));
    await expect(jobs.work(JOB, false)).rejects.toThrow(/^RETRIES_EXHAUSTED$/);
    expect(changes).toEqual([]);
  });

  it.each([
    [new Error(WITH_CODE), 'RETRIES_EXHAUSTED'],
    [new SealedFileError('No configured pepper decrypts the file.'), 'IMPORT_PEPPER_MISSING'],
  ] as const)('stops the import at the last attempt, for %s', async (error, refusal) => {
    const { jobs, changes, dropped } = jobsOf(0, error);
    expect(await jobs.work(JOB, true)).toBeNull();
    expect(changes).toEqual([{ linesDone: 0, refusal, progressAt: new Date(NOW_MS) }]);
    expect(dropped).toEqual([]);
  });

  it('never stops the import while the database is away', async () => {
    const { jobs, changes } = jobsOf(0, new StoreUnavailableError('database'));
    await expect(jobs.work(JOB, true)).rejects.toThrow(/^STORE_UNAVAILABLE$/);
    expect(changes).toEqual([]);
  });

  it('stops the import where it is refused, from the page that was written last', async () => {
    const { jobs, changes } = jobsOf(2, new DomainError('TENANT_QUOTA_EXCEEDED', 'The quota is used up.'));
    expect(await jobs.work(JOB, false)).toBeNull();
    expect(changes).toMatchObject([{ linesDone: 2000, refusal: 'TENANT_QUOTA_EXCEEDED' }]);
  });

  it('leaves an import alone that has stopped', async () => {
    const { jobs, runs } = jobsOf(0, 'FINISHED', stateOf({ refusal: 'RETRIES_EXHAUSTED' }));
    expect(await jobs.work(JOB, false)).toBeNull();
    expect(runs()).toBe(0);
  });
});
