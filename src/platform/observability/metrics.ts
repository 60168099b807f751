import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

export interface MetricsOptions {
  readonly withProcess?: boolean;
  /** Counts the events that wait for a consumer. */
  readonly countOutboxPending?: () => Promise<number>;
}

/** What the platform measures, and the registry in which features register their own. Ids are no labels. */
export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of this process, in a registry of their own so that two in one process (tests) do not collide. */
export function createMetrics(options: MetricsOptions = {}) {
  const registry = new Registry();
  const registers = [registry];
  if (options.withProcess === true) collectDefaultMetrics({ register: registry });
  return {
    registry,
    outboxPending: new Gauge({
      name: 'outbox_pending',
      help: 'Events that wait for a consumer, counted at each scrape; the last count while the database is away.',
      registers,
      async collect() {
        const pending = await options.countOutboxPending?.().catch(() => undefined);
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
