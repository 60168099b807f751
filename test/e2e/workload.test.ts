import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startRound } from '../faults/load/round.js';
import { startCluster, type Cluster } from '../support/cluster.js';

const SEED = 20_261_121;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({
    environment: { COMMIT_BATCH_MAX: '8', COMMIT_LANES: '4', REPLY_WITHIN_MS: '20000' },
  });
});
afterAll(async () => cluster.close());

describe('a workload of many users that nothing disturbs', () => {
  it('I1 to I9 hold: every answer, row, copy, event and window fits, and no use is lost', async () => {
    const { urls, world, apis, worker } = cluster;
    const stores = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
    const settings = { seed: SEED, lengthMs: 800, settleMs: 30_000, deadlineGraceMs: 2000 };
    const round = await startRound({ urls, world, ...stores }, settings);
    await round.run();
    const { violations, evidence } = await round.judge([...apis, worker].map((each) => each.said()));
    await round.close();
    expect(violations).toEqual([]);
    const kinds = new Set(
      evidence.tries.map(({ outcome: o }) => (o.kind === 'REFUSED' ? o.refusal : o.kind)),
    );
    const met = ['COMMITTED', 'UNKNOWN', 'ALREADY_REDEEMED', 'CODE_EXHAUSTED', 'IDEMPOTENCY_KEY_REUSED'];
    const limits = ['RATE_LIMITED', 'BUDGET_EXHAUSTED', 'USER_LIMIT_REACHED'];
    expect([...kinds], 'the workload reaches the interesting answers').toEqual(
      expect.arrayContaining([...met, ...limits]),
    );
  });
});
