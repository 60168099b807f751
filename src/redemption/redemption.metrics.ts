import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export type RedemptionMetrics = ReturnType<typeof redemptionMetrics>;

export function redemptionMetrics(registry: Registry) {
  const registers = [registry];
  return { ...claimMetrics(registers), ...pendingMetrics(registers) };
}

function claimMetrics(registers: Registry[]) {
  return {
    claims: new Counter({
      name: 'redemption_claims_total',
      help: 'Redemption attempts by outcome: COMMITTED, PROCESSING or the code of the refusal.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    claimSeconds: new Histogram({
      name: 'redemption_claim_seconds',
      help: 'From the call to the answer of one redemption.',
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'redemption_commit_seconds',
      help: 'One group commit, from its first statement to the reply.',
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    commitBatchSize: new Histogram({
      name: 'redemption_commit_batch_size',
      help: 'Claims settled by one group commit.',
      buckets: BATCH_BUCKETS,
      registers,
    }),
    claimsOverdue: new Gauge({
      name: 'redemption_claims_overdue',
      help: 'Claims past their deadline, as the last sweep of this process found them before it settled them.',
      registers,
    }),
    claimsSwept: new Counter({
      name: 'redemption_claims_swept_total',
      help: 'Claims past their deadline by what the sweep did: ABANDONED (tombstoned now), ABORTED (released), COMMITTED (confirmed).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    transactions: new Counter({
      name: 'redemption_transactions_total',
      help: 'Database transactions that redemptions needed, repeated attempts included.',
      registers,
    }),
  };
}

/** Of redemptions that were answered PROCESSING. */
function pendingMetrics(registers: Registry[]) {
  return {
    pendingJobs: new Gauge({
      name: 'redemption_pending_jobs',
      help: 'Redemptions that were deferred and are not settled yet, as a worker last saw them.',
      registers,
    }),
    deadLetters: new Gauge({
      name: 'redemption_dead_letters',
      help: 'Redemptions that were deferred and given up without an outcome, as a worker last saw them.',
      registers,
    }),
    pendingOutcomes: new Counter({
      name: 'redemption_pending_outcomes_total',
      help: 'Attempts to settle what was deferred, by outcome: COMMITTED, REFUSED, RETRIED, EXHAUSTED, DEAD.',
      labelNames: ['outcome'] as const,
      registers,
    }),
  };
}
