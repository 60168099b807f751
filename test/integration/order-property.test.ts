import * as fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { DomainError } from '../../src/platform/errors.js';
import { Random } from '../faults/load/random.js';
import { answered } from '../simulation/answered.js';
import { Known } from '../simulation/known.js';
import { KINDS } from '../simulation/kinds/all.js';
import type { Kind } from '../simulation/kind.js';
import { Model } from '../simulation/model.js';
import { faultsAtRest } from '../simulation/rest.js';
import { makeScene } from '../simulation/scene.js';
import { openWorkers, type Workers } from '../simulation/workers.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase } from '../support/scratch-database.js';

let workers: Workers;
openBeforeAll(async (closing) => {
  // The sweeps are of all tenants.
  const database = await closing(createScratchDatabase());
  const urls = { databaseUrl: database.databaseUrl, redisUrl: inject('redisUrl') };
  workers = await closing(openWorkers(urls, 1, () => undefined));
});

interface Step {
  readonly kind: Kind;
  /** Decides everything else about it. */
  readonly seed: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(...KINDS.map((kind) => ({ weight: kind.weight, arbitrary: fc.constant(kind) }))),
  seed: fc.nat(),
});

/** One after another, so that a sequence that fails can be made shorter. @returns what does not hold at the end */
async function play(steps: readonly Step[]): Promise<string[]> {
  const { worlds } = workers;
  const [world] = worlds;
  const scene = await makeScene(world, steps.length);
  const [model, known] = [new Model(), new Known(scene.users.slice(0, 2))];
  for (const [no, { kind, seed }] of steps.entries()) {
    const actor = {
      scene,
      model,
      known,
      draw: new Random(seed),
      name: `n${no}`,
      progress: no / steps.length,
    };
    const request = kind.make(actor);
    if (request === null) continue;
    await answered(async () => request.send(world)).catch((error: unknown) => {
      if (!(error instanceof DomainError) || !kind.refusals.includes(String(error.code))) throw error;
    });
  }
  return faultsAtRest({ worlds, scene, model });
}

describe('any sequence of credits, debits, transfers, reservations, refunds and reversals', () => {
  it('S3.3 S2.2 S2.8 leaves a ledger that sums to zero, and balances, coupons and points that their entries explain', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 50 }), async (steps) => {
      expect(await play(steps)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 6 });
  }, 240_000);
});
