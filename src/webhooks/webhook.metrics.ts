import { Counter, Gauge, type Registry } from 'prom-client';

export type WebhookMetrics = ReturnType<typeof webhookMetrics>;

export function webhookMetrics(registry: Registry) {
  return {
    webhookDeliveries: new Counter({
      name: 'webhook_deliveries_total',
      help: 'Attempts to deliver an event, by outcome: DELIVERED, RETRIED, FAILED.',
      labelNames: ['outcome'] as const,
      registers: [registry],
    }),
    webhookOldestDue: new Gauge({
      name: 'webhook_oldest_due_seconds',
      help: 'How long the delivery that has waited longest is due, as this worker last saw it.',
      registers: [registry],
    }),
  };
}
