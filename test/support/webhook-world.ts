import { startWorker, type RunningWorker } from '../../src/app/worker.js';
import { Webhook, WebhookDelivery } from '../../src/webhooks/webhook.entity.js';
import { startOwnStores } from './own-stores.js';
import { WebhookReceiver, type Received } from './webhook-receiver.js';
import { emOf, openWorld, seedTenant, type World } from './world.js';

/** Stores of their own, because workers take the deliveries of all tenants; and a receiver. */
export interface WebhookWorld {
  /** Two processes. */
  readonly here: World;
  readonly there: World;
  readonly receiver: WebhookReceiver;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** A worker in each of the two processes; `close` stops them. */
  startWorkers(): Promise<void>;
  close(): Promise<void>;
}

export const LOOPBACK_ALLOWED = { OUTGOING_ALLOWED_NETWORKS: '127.0.0.0/8', WEBHOOK_TIMEOUT_MS: '5000' };

export async function openWebhookWorld(): Promise<WebhookWorld> {
  const own = await startOwnStores();
  const receiver = await WebhookReceiver.start();
  const [here, there] = await Promise.all([
    openWorld(LOOPBACK_ALLOWED, own),
    openWorld(LOOPBACK_ALLOWED, own),
  ]);
  const workers: RunningWorker[] = [];
  const startWorkers = async (): Promise<void> => {
    for (const { app, services, stores } of [here, there])
      workers.push(await startWorker({ ...services, ...app, orm: stores.orm }));
  };
  const close = async (): Promise<void> => {
    await Promise.all(workers.map(async (worker) => worker.stop()));
    await Promise.all([here.close(), there.close()]);
    await receiver.close();
    await own.close();
  };
  return { ...own, here, there, receiver, startWorkers, close };
}

export async function newTenantId(world: World): Promise<string> {
  return (await seedTenant(world)).tenantId;
}

/** Commits events of one type in one transaction. @returns their numbers */
export async function tell(
  world: World,
  tenantId: string,
  count = 1,
  type = 'campaign_changed',
): Promise<number[]> {
  const { transactions, outbox } = world.services;
  await transactions.run(tenantId, async (em) => {
    const drafts = Array.from({ length: count }, (_, at) => ({
      type,
      userId: null,
      payload: { campaignId: String(at + 1), status: 'ACTIVE', version: 1, digest: 'd'.repeat(43) },
    }));
    outbox.append(em, tenantId, drafts);
    return Promise.resolve();
  });
  const [row] = await emOf(world, tenantId).execute<{ last: number }[]>(
    'select last_seq as last from outbox_counter where tenant_id = ?',
    [tenantId],
  );
  const last = row?.last ?? 0;
  return Array.from({ length: count }, (_, at) => last - count + 1 + at);
}

export async function deliveriesOf(world: World, { tenantId, id }: Webhook): Promise<WebhookDelivery[]> {
  return emOf(world, tenantId).find(
    WebhookDelivery,
    { webhookId: id },
    { orderBy: { seq: 'asc' }, disableIdentityMap: true },
  );
}

/** Ends the pauses of a webhook's deliveries. */
export async function hasten(world: World, { tenantId, id }: Webhook): Promise<void> {
  await emOf(world, tenantId).execute(
    `update webhook_delivery set next_attempt_at = utc_timestamp(3)
      where tenant_id = ? and webhook_id = ? and status = 'PENDING' and failure is not null`,
    [tenantId, id],
  );
}

let paths = 0;

/** A path of the receiver that no other test has. */
export function newPath(): string {
  paths += 1;
  return `/hook-${paths}`;
}

/** A fresh tenant, and a path for its webhook. */
export class WebhookScene {
  readonly path = newPath();

  private readonly its: Pick<WebhookWorld, 'here' | 'receiver'>;
  readonly tenantId: string;

  constructor(its: Pick<WebhookWorld, 'here' | 'receiver'>, tenantId: string) {
    this.its = its;
    this.tenantId = tenantId;
  }

  static async of(world: WebhookWorld): Promise<WebhookScene> {
    return new WebhookScene(world, await newTenantId(world.here));
  }

  async newWebhook(at = this.path, more: object = {}): Promise<{ webhook: Webhook; secret: string }> {
    const { here, receiver } = this.its;
    const made = await here.services.webhooks.create(this.tenantId, { url: receiver.urlOf(at), ...more });
    return { webhook: made.webhook, secret: made.secret ?? '' };
  }

  received(): Received[] {
    return this.its.receiver.at(this.path);
  }

  /** Numbers of the events that were received, in their order. */
  seqs(): number[] {
    return this.its.receiver.seqsAt(this.path).toSorted((a, b) => a - b);
  }

  async statusesOf(webhook: Webhook): Promise<string[]> {
    return (await deliveriesOf(this.its.here, webhook)).map(({ status }) => status);
  }

  async delivered(webhook: Webhook): Promise<number> {
    return (await this.statusesOf(webhook)).filter((status) => status === 'DELIVERED').length;
  }

  async rowOf({ id }: Webhook): Promise<Webhook> {
    const em = emOf(this.its.here, this.tenantId);
    return em.findOneOrFail(Webhook, { id }, { disableIdentityMap: true });
  }

  async change({ id }: Webhook, values: Partial<Webhook>): Promise<void> {
    await emOf(this.its.here, this.tenantId).nativeUpdate(Webhook, { id }, values);
  }
}
