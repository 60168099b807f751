import { randomInt } from 'node:crypto';
import type { Config } from '../config.js';
import type { UserErasure } from '../identity/identity.module.js';
import { OFFERED_SOURCES } from './offered-events.js';
import type { OutgoingHttp } from '../platform/outgoing/outgoing-http.js';
import type { Fence } from '../platform/leases/fence.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { PeriodicJob } from '../platform/scheduling/job.js';
import { SealedSecrets, type SealingKey, type SecretResealing } from '../platform/sealed-secrets.js';
import { DeliveryAttempt } from './delivery-attempt.js';
import { DeliveryErasure } from './delivery-erasure.js';
import { DeliveryLane } from './delivery-lane.js';
import { DeliveryQueue } from './delivery-queue.js';
import { AgedRows } from '../platform/database/aged-rows.js';
import { DeliveryRows } from './delivery-rows.js';
import { DeliveryWorker } from './delivery-worker.js';
import { WebhookSecretResealing } from './secret-resealing.js';
import { WebhookHealth } from './webhook-health.js';
import { WebhookReplayService } from './webhook-replay.service.js';
import { WebhookSendService } from './webhook-sends.service.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { Webhook, WebhookDelivery } from './webhook.entity.js';
import { webhookMetrics, type WebhookMetrics } from './webhook.metrics.js';
import { WebhookDeliveryResolver, WebhookResolver } from './webhook.resolver.js';
import { WebhookService } from './webhook.service.js';
import { WEBHOOK_PERMISSIONS } from './webhooks.permissions.js';

/** Between the end of a request's time and the end of its lease. */
const LEASE_SPARE_MS = 5000;
const REPLAY_EVERY_MS = 1000;
const RETENTION_EVERY_MS = 600_000;
const RESEAL_EVERY_MS = 600_000;
const CHANCES = 1_000_000;

interface Needs extends PlatformServices {
  readonly config: Config;
  readonly codePeppers: readonly SealingKey[];
  readonly secretResealings: SecretResealing[];
  readonly outgoing: OutgoingHttp;
  readonly metrics: WebhookMetrics;
  readonly userErasures: UserErasure[];
}

/** Sends a tenant's events to URLs of its choice. */
export const webhooks = {
  name: 'webhooks',
  entities: [Webhook, WebhookDelivery],
  resolvers: [WebhookResolver, WebhookDeliveryResolver],
  permissions: WEBHOOK_PERMISSIONS,
  metrics: webhookMetrics,
  compose: (its: Needs) => {
    const { orm, config, metrics } = its;
    const secrets = new WebhookSecrets(new SealedSecrets(its.codePeppers));
    const timeoutMs = config.WEBHOOK_TIMEOUT_MS;
    const resealing = new WebhookSecretResealing(its, secrets);
    its.secretResealings.push(async () => resealing.run());
    const rows = new DeliveryRows(orm, its.transactions, timeoutMs + LEASE_SPARE_MS);
    const lane = new DeliveryLane({
      ...its,
      rows,
      attempt: new DeliveryAttempt({ ...its, secrets, timeoutMs }),
      health: new WebhookHealth(its),
      deliveries: metrics.webhookDeliveries,
      chance: () => randomInt(CHANCES) / CHANCES,
    });
    const worker = new DeliveryWorker({ ...its, rows, lane, oldestDue: metrics.webhookOldestDue });
    const queue = new DeliveryQueue(its.transactions, its.ids, worker.wake);
    const service = new WebhookService({ ...its, secrets });
    const replays = new WebhookReplayService({ ...its, queue });
    const sends = new WebhookSendService({ ...its, wake: worker.wake });
    const retention = agedDeliveries(its);
    its.userErasures.push(new DeliveryErasure(orm));
    return {
      services: {
        webhooks: service,
        webhookReplays: replays,
        webhookSends: sends,
        webhookSecrets: secrets,
        deliveryRetention: retention,
      },
      resolvers: [new WebhookResolver(service, replays, sends), new WebhookDeliveryResolver()],
      consumers: [
        {
          name: 'webhooks',
          types: OFFERED_SOURCES,
          handle: async (tenantId: string, events: readonly PublishedEvent[], fence?: Fence) =>
            queue.take(tenantId, events, fence),
        },
      ],
      jobs: [worker, ...housekeeping(its, { resealing, replays, worker, retention })],
    };
  },
};

interface Kept {
  readonly resealing: WebhookSecretResealing;
  readonly replays: WebhookReplayService;
  readonly worker: DeliveryWorker;
  readonly retention: AgedRows;
}

function agedDeliveries({ orm, config }: Needs): AgedRows {
  return new AgedRows(orm, {
    table: 'webhook_delivery',
    column: 'queued_at',
    keptDays: config.WEBHOOK_DELIVERY_DAYS,
    where: "status <> 'PENDING'",
  });
}

function housekeeping(
  { log, config }: Needs,
  { resealing, replays, worker, retention }: Kept,
): PeriodicJob[] {
  return [
    {
      name: 'webhook replays',
      everyMs: REPLAY_EVERY_MS,
      where: 'IN_EACH',
      run: async (signal) => {
        if (await replays.work(signal)) worker.wake();
      },
    },
    {
      name: 'webhook delivery retention',
      everyMs: RETENTION_EVERY_MS,
      where: 'IN_EACH',
      keeps: [{ what: 'Finished webhook deliveries', days: config.WEBHOOK_DELIVERY_DAYS }],
      run: async (signal, isOwn) => {
        const deleted = await retention.prune(signal, isOwn);
        if (deleted > 0) log.info({ deleted }, 'expired deliveries of webhooks were deleted');
      },
    },
    {
      name: 'webhook secrets',
      everyMs: RESEAL_EVERY_MS,
      where: 'IN_EACH',
      run: async (signal) => resealing.run(signal),
    },
  ];
}
