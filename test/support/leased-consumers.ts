import {
  EventConsumers,
  type EventConsumer,
  type EventConsumerParts,
} from '../../src/platform/outbox/event-consumers.js';
import { PartitionLeases } from '../../src/platform/leases/partition-leases.js';

/** Consumers with the leases that a worker gives them. */
export interface LeasedConsumers extends Pick<EventConsumers, 'start' | 'stop' | 'heard'> {
  readonly leases: PartitionLeases;
}

export function leasedConsumers(
  consumers: readonly EventConsumer[],
  parts: Omit<EventConsumerParts, 'leases'>,
): LeasedConsumers {
  const leases = new PartitionLeases(parts.orm, parts);
  const own = new EventConsumers(consumers, { ...parts, leases });
  let starting: Promise<void> | null = null;
  return {
    leases,
    start: () => {
      own.start();
      starting = leases.start(own.tenantsCame);
    },
    heard: (tenantId) => own.heard(tenantId),
    stop: async () => {
      await starting;
      await own.stop();
      await leases.stop();
    },
  };
}
