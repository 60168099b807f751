import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { Id } from '../platform/ids.js';
import { NO_PACE, percentageOf, type Pace } from './batch-pace.js';
import type { BatchStatus } from './code-batch.entity.js';

/** Events about the progress of batches; the last one of a batch that becomes READY is `codes_generated`. */
export const BATCH_PROGRESS_EVENTS = ['batch_progress', 'codes_generated'] as const;

/** How far a batch was when the event was committed. */
export interface BatchProgress extends Pace {
  readonly batchId: Id;
  readonly campaignId: Id;
  readonly status: BatchStatus;
  readonly requested: number;
  readonly generated: number;
  readonly percentage: number;
}

/** @param batchId of the only batch that is asked for; null for all */
export function progressOf({ type, payload }: PublishedEvent, batchId: Id | null): BatchProgress[] {
  if (batchId !== null && payload['batchId'] !== batchId) return [];
  if (type === 'codes_generated') {
    const { count, ...of } = payload as { batchId: Id; campaignId: Id; count: number };
    const whole = { requested: count, generated: count, percentage: 100 };
    return [{ ...of, status: 'READY', ...whole, ...NO_PACE, secondsLeft: 0 }];
  }
  const progress = payload as unknown as Omit<BatchProgress, 'percentage'>;
  return [{ ...progress, percentage: percentageOf(progress.generated, progress.requested) }];
}
