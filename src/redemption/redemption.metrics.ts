import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export type RedemptionMetrics = ReturnType<typeof redemptionMetrics>;

export function redemptionMetrics(registry: Registry) {
  const make = makersOf([registry]);
  return { ...claimMetrics(make), ...pendingMetrics(make) };
}

function makersOf(registers: Registry[]) {
  return {
    counter: (name: string, help: string) => new Counter({ name, help, registers }),
    byOutcome: (name: string, help: string) =>
      new Counter({ name, help, labelNames: ['outcome'] as const, registers }),
    conditionFaults: () =>
      new Counter({
        name: 'redemption_condition_faults_total',
        help: 'Conditions that could not be evaluated, by what they are of: CAMPAIGN or REWARD. They count as false.',
        labelNames: ['of'] as const,
        registers,
      }),
    gauge: (name: string, help: string) => new Gauge({ name, help, registers }),
    histogram: (name: string, help: string, buckets: number[]) =>
      new Histogram({ name, help, buckets, registers }),
  };
}

function claimMetrics(make: ReturnType<typeof makersOf>) {
  return {
    claims: make.byOutcome(
      'redemption_claims_total',
      'Redemption attempts by outcome: COMMITTED, PROCESSING or the code of the refusal.',
    ),
    claimSeconds: make.histogram(
      'redemption_claim_seconds',
      'From the call to the answer of one redemption.',
      SECONDS_BUCKETS,
    ),
    conditionFaults: make.conditionFaults(),
    commitSeconds: make.histogram(
      'redemption_commit_seconds',
      'One group commit, from its first statement to the reply.',
      SECONDS_BUCKETS,
    ),
    commitBatchSize: make.histogram(
      'redemption_commit_batch_size',
      'Claims settled by one group commit.',
      BATCH_BUCKETS,
    ),
    claimsOverdue: make.gauge(
      'redemption_claims_overdue',
      'Claims past their deadline, as the last sweep of this process found them before it settled them.',
    ),
    claimsSwept: make.byOutcome(
      'redemption_claims_swept_total',
      'Claims past their deadline by what the sweep did: TOMBSTONED (tombstoned now), ABORTED (released), COMMITTED (confirmed).',
    ),
    transactions: make.counter(
      'redemption_transactions_total',
      'Database transactions that redemptions needed, repeated attempts included.',
    ),
  };
}

/** Of redemptions that were answered PROCESSING. */
function pendingMetrics(make: ReturnType<typeof makersOf>) {
  return {
    pendingJobs: make.gauge(
      'redemption_pending_jobs',
      'Redemptions that were deferred and are not settled yet, as a worker last saw them.',
    ),
    deadLetters: make.gauge(
      'redemption_dead_letters',
      'Redemptions that were deferred and given up without an outcome, as a worker last saw them.',
    ),
    pendingOutcomes: make.byOutcome(
      'redemption_pending_outcomes_total',
      'Attempts to settle what was deferred, by outcome: COMMITTED, REFUSED, RETRIED, EXHAUSTED, DEAD.',
    ),
  };
}
