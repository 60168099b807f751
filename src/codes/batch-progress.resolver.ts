import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql';
import { nullable } from '../graphql/nullable.js';
import { AFTER, ownEvents, type FeedItem } from '../graphql/own-events.js';
import { BATCH_PROGRESS_EVENTS, progressOf } from './batch-progress.js';
import { BatchProgressEvent } from './batch.types.js';

@Resolver()
export class BatchProgressResolver {
  @Subscription(() => BatchProgressEvent, {
    description:
      'How far batches are, about twice a second while their codes are made, and at once when they are READY, FAILED or CANCELLED. For staff.',
    subscribe: ownEvents<{ readonly batchId?: string | null }>({
      types: BATCH_PROGRESS_EVENTS,
      items: (event, { batchId = null }) => progressOf(event, batchId),
      list: 'batches',
    }),
  })
  batchProgress(
    @Root() item: FeedItem,
    @Arg('batchId', () => ID, nullable('Only this batch; if missing, all of the tenant.'))
    _batchId?: string | null,
    @Arg('after', () => String, AFTER) _after?: string | null,
  ) {
    return item;
  }
}
