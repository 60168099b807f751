import { Readable } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { CodeImport, CodeImportPart } from '../../src/codes/files/code-import.entity.js';
import { CodeImportJobs, type ImportJob } from '../../src/codes/files/code-import.jobs.js';
import { ImportFileRetention, STOPPED_KEPT_DAYS } from '../../src/codes/files/import-file-retention.js';
import { ImportUploadService } from '../../src/codes/files/import-upload.service.js';
import { seal } from '../../src/platform/sealed-bytes.js';
import { present } from '../../src/platform/assert.js';
import { CommitUnknownError } from '../../src/platform/database/sql-errors.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { createLog } from '../../src/platform/observability/log.js';
import type { JobQueue } from '../../src/platform/queue/job-queue.js';
import { foreignCodes } from '../support/code-files.js';
import { openCodesWorld, type CodesWorld } from '../support/codes-world.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { statementsOf } from '../support/statements.js';

const DAY_MS = 86_400_000;
const OTHER_KEY = Buffer.alloc(32, 7).toString('base64url');

let codes: CodesWorld;
openBeforeAll(async (closing) => {
  // A private database, because jobs and retention look at all tenants.
  const scratch = await closing(createScratchDatabase());
  codes = await closing(openCodesWorld(scratch.databaseUrl));
});

/** An import, and what works at it, over a queue that notes what is added. */
async function scene() {
  const tenantId = await codes.addTenant();
  const { id: campaignId } = await codes.addCampaign(tenantId);
  const { id } = await codes.codeImports.begin(tenantId, { campaignId, idempotencyKey: 'k' });
  const added: string[] = [];
  const queue = {
    add: async (_id: string, { importId }: ImportJob) => void added.push(importId),
    redrive: async () => false,
  };
  const { orm, clock, ids, transactions, digester, codeImports: imports } = codes;
  const uploads = new ImportUploadService({
    orm,
    clock,
    ids,
    transactions,
    imports,
    digester,
    bytesMax: 10_000_000,
  });
  const log = createLog({ level: 'silent' });
  const jobs = new CodeImportJobs({
    orm,
    clock,
    log,
    imports,
    uploads,
    queue: queue as unknown as JobQueue<ImportJob>,
  });
  const retention = new ImportFileRetention({ orm, clock, imports });
  return {
    tenantId,
    id,
    added,
    uploads,
    jobs,
    retention,
    job: { tenantId, importId: id },
    em: () => tenantEm(orm, tenantId),
    state: async () => present(await imports.find(tenantId, id), 'The import'),
    store: async (lines: readonly string[]) =>
      uploads.store(tenantId, id, Readable.from(lines.map((line) => Buffer.from(`${line}\n`)))),
  };
}

it('an import whose file no pepper decrypts stops after its last delivery, says why, and continues with the pepper', async () => {
  const { added, jobs, job, em, state, store } = await scene();
  const lines = ['code,note', ...foreignCodes(1500).map((code) => `${code},${'x'.repeat(200)}`)];
  expect((await store(lines)).parts).toBe(2);
  const { body } = await em().findOneOrFail(CodeImportPart, { partNo: 1 }, { disableIdentityMap: true });
  await em().nativeUpdate(CodeImportPart, { partNo: 1 }, { body: seal('of another pepper', OTHER_KEY) });
  // The first page is in the part before.
  expect(await jobs.work(job, true)).toBe(1000);
  await expect(jobs.work(job, false)).rejects.toThrow(/^IMPORT_PEPPER_MISSING$/);
  expect(await state()).toMatchObject({ linesDone: 1000, refusal: null });
  expect(await jobs.work(job, true)).toBeNull();
  expect(await state()).toMatchObject({ linesDone: 1000, imported: 999, refusal: 'IMPORT_PEPPER_MISSING' });

  codes.clock.offsetMs += 60_000;
  await jobs.requeueLost();
  expect(added).toEqual([]);
  expect(await em().count(CodeImportPart, {})).toBe(2);

  await em().nativeUpdate(CodeImportPart, { partNo: 1 }, { body });
  expect(await jobs.resume(await state())).toMatchObject({ refusal: null });
  expect(added).toEqual([job.importId]);
  expect(await jobs.work(job, false)).toBeNull();
  expect(await state()).toMatchObject({ imported: 1500, refused: 0, refusal: null });
  expect(await em().count(CodeImportPart, {})).toBe(0);
});

it('the file of an import that failed goes seven days later, and the import takes it again', async () => {
  const { jobs, job, em, state, store, retention } = await scene();
  await store(foreignCodes(10));
  await em().nativeUpdate(CodeImportPart, {}, { body: seal('of another pepper', OTHER_KEY) });
  expect(await jobs.work(job, true)).toBeNull();
  codes.clock.offsetMs += (STOPPED_KEPT_DAYS - 0.1) * DAY_MS;
  expect(await retention.prune()).toBe(0);
  codes.clock.offsetMs += 0.2 * DAY_MS;
  expect(await retention.prune()).toBe(1);
  expect(await em().count(CodeImportPart, {})).toBe(0);
  expect(await jobs.resume(await state())).toMatchObject({ refusal: 'IMPORT_FILE_MISSING' });
  await store(foreignCodes(10));
  expect(await jobs.work(job, false)).toBeNull();
  expect(await state()).toMatchObject({ imported: 10, refusal: null });
});

it('files that are not needed are looked for a hundred at a time, and all of them go', async () => {
  const { tenantId, em, state, retention } = await scene();
  const like = await state();
  const longAgo = new Date(codes.clock.nowMs() - (STOPPED_KEPT_DAYS + 1) * DAY_MS);
  const stopped = Array.from({ length: 250 }, (_, at) => ({
    ...like,
    id: String(at + 1),
    uploadId: String(10_000 + at),
    parts: 1,
    refusal: 'TENANT_QUOTA_EXCEEDED',
    progressAt: longAgo,
    idempotencyKey: `k${at}`,
  }));
  await em().insertMany(CodeImport, stopped);
  const partOf = (importId: string, uploadId: string) => ({
    tenantId,
    importId,
    uploadId,
    partNo: 0,
    body: Buffer.from('x'),
  });
  await em().insertMany(CodeImportPart, [
    ...stopped.map(({ id, uploadId }) => partOf(id, uploadId)),
    // Of uploads that broke off long ago, beside the import of the scene.
    ...stopped.map((_, at) => partOf(like.id, String(20_000 + at))),
  ]);
  await em().nativeUpdate(CodeImport, { id: like.id }, { progressAt: longAgo });
  const sent = await statementsOf(codes.orm, async () => expect(await retention.prune()).toBe(500));
  const looks = sent.filter(({ query }) => query.startsWith('select'));
  expect(looks).toHaveLength(6);
  for (const { query, params } of looks) expect(query + String(params)).toMatch(/limit.*100/);
  expect(await em().count(CodeImportPart, {})).toBe(0);
  expect(await em().count(CodeImport, { uploadId: { $ne: null } })).toBe(0);
});

it('a file stays whole whose COMMIT is applied after the reply to it was lost', async () => {
  const { uploads, state, store } = await scene();
  const late = codes.em((await state()).tenantId);
  const run = codes.transactions.run.bind(codes.transactions);
  let commits = 0;
  const commit = async (): Promise<void> => {
    commits += 1;
    if (commits === 1) await late.commit();
  };
  vi.spyOn(codes.transactions, 'run')
    // The COMMIT is on its way, and its connection is lost.
    .mockImplementationOnce(async (_tenantId, work) => {
      await late.begin();
      await work(late);
      throw new CommitUnknownError(new Error('The connection was lost.'));
    })
    .mockImplementation(async (tenantId, work) => {
      const running = run(tenantId, work);
      await commit();
      return running;
    });
  await expect(store(['FOREIGNCODE1'])).rejects.toThrow(CommitUnknownError);
  vi.restoreAllMocks();
  await commit();
  const stored = await state();
  expect(stored.parts).toBe(1);
  let text = '';
  for await (const bytes of uploads.read(stored)) text += Buffer.from(bytes).toString();
  expect(text).toBe('FOREIGNCODE1\n');
});
