import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** So many campaigns have a label of their own; further ones are counted together, or the series would grow for ever. */
const CAMPAIGN_LABELS_MAX = 200;
const OTHER = 'other';

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export interface MetricsOptions {
  readonly withProcess?: boolean;
  /** Counts the events that wait for a consumer. */
  readonly countOutboxPending?: () => Promise<number>;
}

/** Everything that is measured. Ids are no labels, with the one exception of {@link campaignLabels}. */
export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of this process, in a registry of their own so that two in one process (tests) do not collide. */
export function createMetrics(options: MetricsOptions = {}) {
  const registry = new Registry();
  const registers = [registry];
  if (options.withProcess === true) collectDefaultMetrics({ register: registry });
  return {
    registry,
    ...redemptionMetrics(registers),
    ...pendingMetrics(registers),
    ...outboxMetrics(registers, options.countOutboxPending),
    codesGenerated: new Counter({
      name: 'marketing_codes_generated_total',
      help: 'Codes generated and stored, by campaign; campaigns beyond the first 200 are "other".',
      labelNames: ['campaign'] as const,
      registers,
    }),
    campaignLabel: campaignLabels(),
  };
}

function redemptionMetrics(registers: Registry[]) {
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
      help: 'Database transactions that redemptions needed, attempts that were run anew included.',
      registers,
    }),
  };
}

/** Of redemptions that were answered PROCESSING. */
function pendingMetrics(registers: Registry[]) {
  return {
    pendingJobs: new Gauge({
      name: 'redemption_pending_jobs',
      help: 'Redemptions that were handed over and are not settled yet, as a worker last saw them.',
      registers,
    }),
    deadLetters: new Gauge({
      name: 'redemption_dead_letters',
      help: 'Redemptions that were handed over and given up without an outcome, as a worker last saw them.',
      registers,
    }),
    pendingOutcomes: new Counter({
      name: 'redemption_pending_outcomes_total',
      help: 'Attempts to settle what was handed over, by outcome: COMMITTED, REFUSED, RETRIED, EXHAUSTED, DEAD.',
      labelNames: ['outcome'] as const,
      registers,
    }),
  };
}

function outboxMetrics(registers: Registry[], countPending: MetricsOptions['countOutboxPending']) {
  return {
    outboxPending: new Gauge({
      name: 'outbox_pending',
      help: 'Events that wait for a consumer, counted at each scrape; the last count while the database is away.',
      registers,
      async collect() {
        const pending = await countPending?.().catch(() => undefined);
        if (pending !== undefined) this.set(pending);
      },
    }),
    eventsConsumed: new Counter({
      name: 'outbox_consumed_total',
      help: 'Events handled by consumers, by consumer, repeated ones included.',
      labelNames: ['consumer'] as const,
      registers,
    }),
  };
}

/** The bounded label of a campaign: its id while there is room, then `other`. */
function campaignLabels(): (campaignId: string) => string {
  const known = new Set<string>();
  return (campaignId) => {
    if (known.has(campaignId)) return campaignId;
    if (known.size >= CAMPAIGN_LABELS_MAX) return OTHER;
    known.add(campaignId);
    return campaignId;
  };
}
