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
/** Webhooks that a process works for at once: in all, of one tenant, and of those that fail or are slow. */
const LANES_MAX = 12;
const LANES_OF_TENANT_MAX = 4;
const LANES_HINDERED_MAX = 6;
/** A lane that takes longer than its turn and some seconds has a receiver that is slow, also where it answers well. */
const SLOW_MS = 5000;
/** How long a process remembers when it served a webhook last, and whether that was slow. */
const REMEMBERED_MS = 600_000;
/** Requests under way may end while the process stops; then they are broken off, and sent again later. */
const STOP_WAIT_MS = 3000;

interface DeliveryWorkerParts {
  readonly rows: Pick<DeliveryRows, 'due'>;
  readonly lane: Pick<DeliveryLane, 'run'>;
  readonly log: Logger;
  readonly oldestDue: Pick<Gauge, 'set'>;
}

interface Lane {
  readonly tenantId: string;
  readonly isHindered: boolean;
  readonly work: Promise<void>;
}

/** How a lane of a webhook ended last. */
interface Served {
  readonly atMs: number;
  readonly wasSlow: boolean;
}

/**
 * Sends what is due. Each webhook has a lane of its own, and those that were served longest ago come first: a receiver
 * that is slow or away takes one place and does not delay others.
 */
export class DeliveryWorker implements Worker {
  readonly name = 'webhook deliveries';
  private readonly signal = new WakeSignal();
  private readonly stopping = new AbortController();
  private isStopped = false;
  private running: Promise<void> | null = null;
  private readonly lanes = new Map<string, Lane>();
  private readonly served = new Map<string, Served>();

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
    const forgottenMs = performance.now() - REMEMBERED_MS;
    for (const [key, { atMs }] of this.served) if (atMs < forgottenMs) this.served.delete(key);
    const servedMs = (webhook: DueWebhook): number => this.served.get(keyOf(webhook))?.atMs ?? 0;
    for (const webhook of due.toSorted((a, b) => servedMs(a) - servedMs(b)))
      if (this.mayStart(webhook)) this.startLane(webhook);
  }

  private mayStart(webhook: DueWebhook): boolean {
    const atWork = [...this.lanes.values()];
    const ofTenant = atWork.filter(({ tenantId }) => tenantId === webhook.tenantId).length;
    const hindered = atWork.filter(({ isHindered }) => isHindered).length;
    return (
      !this.lanes.has(keyOf(webhook)) &&
      atWork.length < LANES_MAX &&
      ofTenant < LANES_OF_TENANT_MAX &&
      (!this.isHindered(webhook) || hindered < LANES_HINDERED_MAX)
    );
  }

  /** Its requests may hold a lane for as long as one may take. */
  private isHindered(webhook: DueWebhook): boolean {
    return webhook.isFailing || this.served.get(keyOf(webhook))?.wasSlow === true;
  }

  private startLane(due: DueWebhook): void {
    const key = keyOf(due);
    const { tenantId, webhookId } = due;
    const sinceMs = performance.now();
    const work = this.its.lane
      .run(due, this.stopping.signal)
      .catch((error: unknown) =>
        this.its.log.warn({ err: error, tenantId, webhookId }, 'deliveries failed, trying again'),
      )
      .finally(() => {
        this.lanes.delete(key);
        const atMs = performance.now();
        this.served.set(key, { atMs, wasSlow: atMs - sinceMs > SLOW_MS });
        this.signal.raise();
      });
    this.lanes.set(key, { tenantId, isHindered: this.isHindered(due), work });
  }
}

function keyOf({ tenantId, webhookId }: DueWebhook): string {
  return `${tenantId} ${webhookId}`;
}
