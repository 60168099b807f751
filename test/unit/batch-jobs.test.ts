import { describe, expect, it } from 'vitest';
import type { BatchFailure, CodeBatch } from '../../src/codes/code-batch.entity.js';
import type { BatchGeneration, BatchRun, RunOutcome } from '../../src/codes/batch-generation.service.js';
import { BatchJobs, type BatchQueue } from '../../src/codes/batch.jobs.js';
import { CodesCollidedError } from '../../src/codes/code-chunk-writer.js';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { createLog } from '../../src/platform/observability/log.js';

const KEY = { tenantId: 'T', batchId: '7' };
const queue = { close: async () => undefined } as unknown as BatchQueue;

/** Jobs whose batch writes this number of chunks, and then ends this way. */
function jobsOf(chunks: number, end: RunOutcome | Error, isUnderWay = true) {
  const failures: BatchFailure[] = [];
  const runs: BatchRun[] = [];
  const run = async (
    _key: unknown,
    { onChunk = () => undefined, ...rest }: BatchRun,
  ): Promise<RunOutcome> => {
    runs.push(rest);
    for (let chunk = 0; chunk < chunks; chunk += 1) onChunk({} as CodeBatch);
    if (end instanceof Error) throw end;
    return Promise.resolve(end);
  };
  const fail = async (_tenantId: string, _id: string, failure: BatchFailure): Promise<boolean> => {
    if (isUnderWay) failures.push(failure);
    return Promise.resolve(isUnderWay);
  };
  const generation = { run } as unknown as BatchGeneration;
  const jobs = new BatchJobs(queue, generation, { fail }, null as never, createLog({ level: 'silent' }));
  return { jobs, failures, runs };
}

describe('a delivery of the job of a batch', () => {
  it.each([
    ['FINISHED', null],
    ['STOPPED', 0],
    ['OVERTAKEN', 5000],
  ] as const)('that comes to %s is met again after %s ms', async (outcome, againMs) => {
    expect(await jobsOf(3, outcome).jobs.work(KEY, false)).toBe(againMs);
  });

  it('stops before the next chunk when the process stops', async () => {
    const { jobs, runs } = jobsOf(0, 'STOPPED');
    await jobs.work(KEY, false);
    expect(runs[0]?.mayGoOn()).toBe(true);
    await jobs.stop();
    expect(runs[0]?.mayGoOn()).toBe(false);
  });

  it('uses no attempt up when it fails behind a chunk', async () => {
    const { jobs, failures } = jobsOf(1, new Error('insert into code … ABCD-EFGH'));
    expect(await jobs.work(KEY, true)).toBe(1000);
    expect(failures).toEqual([]);
  });

  it('fails without a word of the statement, which holds codes', async () => {
    const { jobs, failures } = jobsOf(0, new Error('insert into code … ABCD-EFGH'));
    await expect(jobs.work(KEY, false)).rejects.toThrow(/^RETRIES_EXHAUSTED$/);
    expect(failures).toEqual([]);
  });

  it.each([
    [new Error('A defect.'), 'RETRIES_EXHAUSTED'],
    [new CodesCollidedError('A code exists already.'), 'CODES_COLLIDE'],
  ] as const)('gives the batch up at the last attempt, for %s', async (error, failure) => {
    const { jobs, failures } = jobsOf(0, error);
    expect(await jobs.work(KEY, true)).toBe(0);
    expect(failures).toEqual([failure]);
  });

  it('never gives the batch up while the database is away', async () => {
    const { jobs, failures } = jobsOf(0, new StoreUnavailableError('database'));
    await expect(jobs.work(KEY, true)).rejects.toThrow(/^STORE_UNAVAILABLE$/);
    expect(failures).toEqual([]);
  });

  it('is kept as a dead job when the codes of a batch that was given up cannot be removed', async () => {
    const { jobs } = jobsOf(0, new Error('A defect.'), false);
    await expect(jobs.work(KEY, true)).rejects.toThrow(/^RETRIES_EXHAUSTED$/);
  });
});
