import { Counter, Gauge, type Registry } from 'prom-client';

export type DirectoryMetrics = ReturnType<typeof directoryMetrics>;

export function directoryMetrics(registry: Registry) {
  const registers = [registry];
  return {
    directoryRequests: new Counter({
      name: 'directory_requests_total',
      help: 'Questions to the tenant directory, by outcome: ANSWERED, FAILED, NOT_ASKED (the breaker is open).',
      labelNames: ['outcome'] as const,
      registers,
    }),
    directoryBreakerState: new Gauge({
      name: 'directory_breaker_state',
      help: 'The circuit breaker of this process before the tenant directory: 1 at its present state.',
      labelNames: ['state'] as const,
      registers,
    }),
    directoryEvents: new Counter({
      name: 'directory_events_total',
      help: 'Events of the tenant directory, by outcome: APPLIED, OUTDATED, DUPLICATE, TENANT_UNKNOWN, DEAD_LETTER, RETRIED.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    directoryEventsWaiting: new Gauge({
      name: 'directory_events_waiting',
      help: 'Events of the tenant directory that are not acknowledged, as this worker last saw it.',
      registers,
    }),
    directoryDeadLetters: new Gauge({
      name: 'directory_dead_letters',
      help: 'Events of the tenant directory that could not be applied, as this worker last saw it.',
      registers,
    }),
  };
}
