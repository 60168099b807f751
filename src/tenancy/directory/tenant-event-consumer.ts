import { setTimeout as pause } from 'node:timers/promises';
import { isStoreAway } from '../../platform/failures.js';
import type { Logger } from '../../platform/observability/log.js';
import type { Worker } from '../../platform/scheduling/job.js';
import { resultWithin } from '../../platform/scheduling/timeout.js';
import type { DirectoryMetrics } from './directory.metrics.js';
import type { DirectorySync } from './directory-sync.js';
import { faultOf, type TenantEventHandler } from './tenant-event-handler.js';
import type { TenantEventLetterService } from './tenant-event-letters.service.js';
import { SourceLostError, type DeliveredEvent, type TenantEventSource } from './tenant-event-source.js';

const PAUSE_MS = 1000;
/** Longer than the source waits for events. */
const STOP_MS = 5000;

export interface TenantEventConsumerParts {
  readonly source: TenantEventSource;
  readonly handler: Pick<TenantEventHandler, 'handle'>;
  readonly letters: Pick<TenantEventLetterService, 'add' | 'count'>;
  readonly sync: Pick<DirectorySync, 'run'>;
  readonly metrics: Pick<
    DirectoryMetrics,
    'directoryEvents' | 'directoryEventsWaiting' | 'directoryDeadLetters'
  >;
  readonly log: Logger;
  /** Deliveries after which an event that fails becomes a dead letter. */
  readonly attemptsMax: number;
}

/**
 * Applies the events of the directory. An event is acknowledged when it is applied, or kept as a dead letter; one that
 * fails is delivered again. A process that dies in between leaves it to the others, and its id makes that harmless.
 */
export class TenantEventConsumer implements Worker {
  readonly name = 'tenant events';
  private readonly stopping = new AbortController();
  private running: Promise<void> | null = null;
  private isOpen = false;

  constructor(private readonly its: TenantEventConsumerParts) {}

  start(): void {
    this.running ??= this.loop();
  }

  /** Waits for the event under way; what Redis does not answer meanwhile, is delivered again. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const ended = this.running ?? Promise.resolve();
    await resultWithin(STOP_MS, ended);
    await this.its.source.close();
    await ended;
  }

  private async loop(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        if (!this.isOpen) await this.open();
        await this.round();
      } catch (error) {
        this.isOpen = this.isOpen && !(error instanceof SourceLostError);
        this.its.log.warn({ err: error }, 'events of the tenant directory wait, trying again');
        await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Where the group is new, events may have been lost with the old one: the directory is asked for all states. */
  private async open(): Promise<void> {
    const isNew = await this.its.source.open();
    this.isOpen = true;
    if (isNew) await this.its.sync.run(this.stopping.signal);
  }

  private async round(): Promise<void> {
    const { source, letters, metrics } = this.its;
    const events = await source.next();
    for (const event of events) {
      if (this.stopping.signal.aborted) return;
      await this.take(event);
    }
    metrics.directoryEventsWaiting.set(await source.waiting());
    if (events.length > 0) metrics.directoryDeadLetters.set(await letters.count());
  }

  private async take(event: DeliveredEvent): Promise<void> {
    const { source, metrics } = this.its;
    const outcome = await this.outcomeOf(event);
    if (outcome !== 'RETRIED') await source.acknowledge(event.place);
    metrics.directoryEvents.inc({ outcome });
  }

  private async outcomeOf(event: DeliveredEvent) {
    const { handler, letters, log, attemptsMax } = this.its;
    try {
      return await handler.handle(event.text);
    } catch (error) {
      // An outage is no fault of the event, however long it lasts.
      if (isStoreAway(error)) throw error;
      const { fault } = faultOf(error);
      const isGivenUp = fault === 'EVENT_MALFORMED' || event.deliveries >= attemptsMax;
      const fields = { err: error, place: event.place, deliveries: event.deliveries };
      if (!isGivenUp) {
        log.warn(fields, 'an event of the tenant directory was not applied, trying again');
        return 'RETRIED' as const;
      }
      log.error(fields, 'an event of the tenant directory became a dead letter');
      await letters.add(event, error);
      return 'DEAD_LETTER' as const;
    }
  }
}
