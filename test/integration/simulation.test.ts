import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { KINDS } from '../simulation/kinds/all.js';
import { simulate } from '../simulation/simulation.js';
import { openWorkers, type Workers } from '../simulation/workers.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';

const SEED = 2026;
const OPERATIONS = 600;
const heard: string[] = [];
let database: ScratchDatabase;
let workers: Workers;
beforeAll(async () => {
  // The sweeps are of all tenants.
  database = await createScratchDatabase(inject('databaseUrl'));
  const urls = { databaseUrl: database.databaseUrl, redisUrl: inject('redisUrl') };
  workers = await openWorkers(urls, 3, (line) => heard.push(line));
});
afterAll(async () => {
  await workers.close();
  await database.drop();
});

it(`S2.6 S3.12 any mixture of operations leaves what the answers say, and reconcile is clean (seed ${SEED})`, async () => {
  const { worlds } = workers;
  const { faults, diary, operations } = await simulate({
    worlds,
    seed: SEED,
    operations: OPERATIONS,
    restEvery: OPERATIONS / 3,
    heard,
  });
  const told = { faults, last: faults.length === 0 ? [] : diary.last };
  expect(told, `npm run test:simulation -- --seed ${SEED} --operations ${OPERATIONS}`).toEqual({
    faults: [],
    last: [],
  });
  expect(operations).toBe(OPERATIONS);
  // Each kind was tried, and not only refused.
  const refusedOnly = KINDS.filter(({ name, refusals }) =>
    Object.keys(diary.outcomes(name)).every((outcome) => refusals.includes(outcome)),
  );
  expect(refusedOnly.map(({ name }) => name)).toEqual([]);
}, 120_000);
