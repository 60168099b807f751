import { expect, inject, it } from 'vitest';
import { simulate } from '../simulation/simulation.js';
import { openWorkers, type Workers } from '../simulation/workers.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase } from '../support/scratch-database.js';

const SEED = 2026;
const OPERATIONS = 300;
/** What can always be done. */
const DONE = ['PLACE_PLAN', 'REDEEM', 'ADJUST', 'GRANT_POINTS', 'ISSUE_COUPONS'];
const heard: string[] = [];
let workers: Workers;
openBeforeAll(async (closing) => {
  // The sweeps are of all tenants.
  const database = await closing(createScratchDatabase());
  const urls = { databaseUrl: database.databaseUrl, redisUrl: inject('redisUrl') };
  workers = await closing(openWorkers(urls, 2, (line) => heard.push(line)));
});

it(`S2.6 S3.12 any mixture of operations leaves what the answers say, and reconcile is clean (seed ${SEED})`, async () => {
  const { worlds } = workers;
  const run = { worlds, seed: SEED, operations: OPERATIONS, lanesEach: 2, restEvery: OPERATIONS / 2, heard };
  const { faults, diary, operations } = await simulate(run);
  const replay = `npm run test:simulation -- --seed ${SEED} --operations ${OPERATIONS} --workers 2`;
  const last = faults.length === 0 ? [] : diary.last;
  expect({ faults, last }, `Replay: ${replay}`).toEqual({ faults: [], last: [] });
  expect(operations).toBe(OPERATIONS);
  const done = DONE.filter((name) =>
    Object.keys(diary.outcomes(name)).some((outcome) =>
      ['PENDING', 'FINISHED', 'COMMITTED', 'ADJUSTED', 'GRANTED', 'ISSUED'].includes(outcome),
    ),
  );
  expect(done).toEqual(DONE);
}, 300_000);
