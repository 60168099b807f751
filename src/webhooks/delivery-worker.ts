import type { Gauge } from 'prom-client';
import type { Logger } from '../platform/observability/log.js';
import { WakeSignal } from '../platform/outbox/wake-signal.js';
import type { Worker } from '../platform/scheduling/job.js';
import { resultWithin } from '../platform/scheduling/timeout.js';
import type { DeliveryLane } from './delivery-lane.js';
import type { DeliveryRows, DueWebhook } from './delivery-rows.js';

const POLL_EVERY_MS = 1000;
/** Lets more events of a burst come before the first look. */
const LINGER_MS = 20;
/** Webhooks that a process works for at once: in all, of one tenant, and of those that fail. */
const LANES_MAX = 12;
const LANES_OF_TENANT_MAX = 4;
const LANES_FAILING_MAX = 6;
/** Requests under way may end while the process stops; then they are broken off, and sent again later. */
const STOP_WAIT_MS = 3000;

interface DeliveryWorkerParts {
  readonly rows: DeliveryRows;
  readonly lane: DeliveryLane;
  readonly log: Logger;
  readonly oldestDue: Gauge;
}

/**
 * Sends what is due. Each webhook has a lane of its own, and those that were served longest ago come first: a receiver
 * that is slow or away takes one place and holds up nobody else.
 */
export class DeliveryWorker implements Worker {
  readonly name = 'webhook deliveries';
  private readonly signal = new WakeSignal();
  private readonly stopping = new AbortController();
  private isStopped = false;
  private running: Promise<void> | null = null;
  private readonly lanes = new Map<string, { readonly due: DueWebhook; readonly work: Promise<void> }>();
  /** When a lane of a webhook ended last. */
  private served = new Map<string, number>();

  constructor(private readonly its: DeliveryWorkerParts) {}

  start(): void {
    this.running ??= this.loop();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.signal.raise();
    await this.running;
    const ended = Promise.all([...this.lanes.values()].map(async ({ work }) => work));
    await resultWithin(STOP_WAIT_MS, ended);
    this.stopping.abort(new Error('The worker stops.'));
    await ended;
  }

  /** There are new deliveries. */
  readonly wake = (): void => this.signal.raise();

  private async loop(): Promise<void> {
    while (!this.isStopped) {
      try {
        this.signal.take();
        this.startLanes(await this.its.rows.due());
      } catch (error) {
        this.its.log.warn({ err: error }, 'deliveries could not be looked for, trying again');
      }
      if (!this.isStopped) await this.signal.wait(POLL_EVERY_MS, LINGER_MS);
    }
  }

  private startLanes(due: readonly DueWebhook[]): void {
    this.its.oldestDue.set(Math.max(0, ...due.map(({ overdueMs }) => overdueMs)) / 1000);
    const servedMs = (webhook: DueWebhook): number => this.served.get(keyOf(webhook)) ?? 0;
    const inTurn = due.toSorted((a, b) => servedMs(a) - servedMs(b));
    this.served = new Map(inTurn.map((webhook) => [keyOf(webhook), servedMs(webhook)]));
    for (const webhook of inTurn) if (this.mayStart(webhook)) this.startLane(webhook);
  }

  private mayStart(webhook: DueWebhook): boolean {
    const atWork = [...this.lanes.values()].map(({ due }) => due);
    const ofTenant = atWork.filter(({ tenantId }) => tenantId === webhook.tenantId).length;
    const failing = atWork.filter(({ isFailing }) => isFailing).length;
    return (
      !this.lanes.has(keyOf(webhook)) &&
      atWork.length < LANES_MAX &&
      ofTenant < LANES_OF_TENANT_MAX &&
      (!webhook.isFailing || failing < LANES_FAILING_MAX)
    );
  }

  private startLane(due: DueWebhook): void {
    const key = keyOf(due);
    const { tenantId, webhookId } = due;
    const work = this.its.lane
      .run(due, this.stopping.signal)
      .catch((error: unknown) =>
        this.its.log.warn({ err: error, tenantId, webhookId }, 'deliveries failed, trying again'),
      )
      .finally(() => {
        this.lanes.delete(key);
        this.served.set(key, performance.now());
        this.signal.raise();
      });
    this.lanes.set(key, { due, work });
  }
}

function keyOf({ tenantId, webhookId }: DueWebhook): string {
  return `${tenantId} ${webhookId}`;
}
