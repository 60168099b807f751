import type { MikroORM, RequiredEntityData } from '@mikro-orm/core';
import { expect, it } from 'vitest';
import { CodeImport } from '../../src/codes/files/code-import.entity.js';
import { CodeImportJobs, type ImportJob } from '../../src/codes/files/code-import.jobs.js';
import type { CodeImportService } from '../../src/codes/files/code-import.service.js';
import type { ImportUploadService } from '../../src/codes/files/import-upload.service.js';
import { systemClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, systemEm, tenantEm } from '../../src/platform/database/orm.js';
import type { JobQueue } from '../../src/platform/queue/job-queue.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { statementsOf } from '../support/statements.js';

const TENANT = 'T_REQUEUE';
/** What one look takes, and half of it. */
const LOST = 1500;
const FINISHED = 4000;

let orm: MikroORM;
openBeforeAll(async (closing) => {
  // A private database, because a look is at all tenants.
  const scratch = await closing(createScratchDatabase());
  orm = await closing(connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 2, entities: [CodeImport] }));
});

const LONG_AGO = new Date('2026-01-01T00:00:00Z');

function row(
  no: number,
  differing: Partial<RequiredEntityData<CodeImport>> = {},
): RequiredEntityData<CodeImport> {
  return {
    tenantId: TENANT,
    id: String(no),
    campaignId: '1',
    linesDone: 0,
    imported: 0,
    refused: 0,
    uploadId: String(100_000 + no),
    parts: 1,
    progressAt: LONG_AGO,
    idempotencyKey: `k${no}`,
    argumentsDigest: 'd',
    createdAt: LONG_AGO,
    ...differing,
  };
}

/** The jobs of imports over a queue that notes what is added. */
function openJobs() {
  const added: string[] = [];
  const queue = {
    add: async (_id: string, { importId }: ImportJob) => void added.push(importId),
    redrive: async () => false,
  };
  const jobs = new CodeImportJobs({
    orm,
    clock: systemClock,
    log: createLog({ level: 'silent' }),
    imports: {} as CodeImportService,
    uploads: {} as ImportUploadService,
    queue: queue as unknown as JobQueue<ImportJob>,
  });
  return { added, jobs };
}

it('finds imports that wait by an index, in its order, among many that are finished', async () => {
  const em = tenantEm(orm, TENANT);
  const finished = Array.from({ length: FINISHED }, (_, at) => row(10_000 + at, { finishedAt: LONG_AGO }));
  await em.insertMany(CodeImport, [...finished, row(1)]);
  await em.execute('analyze table code_import');
  const { added, jobs } = openJobs();
  const [sent] = await statementsOf(orm, async () => jobs.requeueLost());
  expect(added).toEqual(['1']);
  const [plan] = await systemEm(orm).execute<{ key: string; Extra: string }[]>(
    `explain format=traditional ${sent?.query}`,
    [...(sent?.params ?? [])],
  );
  expect(plan?.key).toBe('ix_code_import__waiting');
  expect(plan?.Extra).not.toContain('filesort');
});

it('hands in every import that has lost its job, also where they are more than a look takes', async () => {
  const em = tenantEm(orm, TENANT);
  await em.nativeDelete(CodeImport, {});
  const lost = Array.from({ length: LOST }, (_, at) => row(at + 1));
  const others = [
    row(LOST + 1, { uploadId: null }),
    row(LOST + 2, { refusal: 'TENANT_QUOTA_EXCEEDED' }),
    row(LOST + 3, { finishedAt: LONG_AGO }),
    row(LOST + 4, { progressAt: new Date() }),
  ];
  await em.insertMany(CodeImport, [...lost, ...others]);
  const { added, jobs } = openJobs();
  await jobs.requeueLost();
  await jobs.requeueLost();
  expect(added).toEqual(lost.map(({ id }) => id));
  await jobs.requeueLost();
  expect(added).toHaveLength(LOST + 1000);
});
