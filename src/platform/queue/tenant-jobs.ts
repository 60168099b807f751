import { PARTITION_TAGS, partitionOf } from '../partitions.js';
import { RedisCluster } from '../redis/redis-cluster.js';
import type { Redis } from '../redis/redis.js';
import { JobQueue, type JobQueueSettings } from './job-queue.js';

type Handler<T extends object> = Parameters<JobQueue<T>['start']>[0];

/** Of a process, for all partitions together; a few tenants of one may be all that have work. */
const SHARE_OF_PLACES = 4;

/**
 * Jobs that each belong to a tenant. On one Redis they are one queue; in a cluster, one for each partition: a tenant
 * whose own master answers can then hand in a job, and have it done, while another master is away.
 */
export class TenantJobs<T extends object> {
  private readonly queues: readonly JobQueue<T>[];

  constructor(settings: JobQueueSettings<T> & { readonly redis: Redis }) {
    const { concurrency = 1 } = settings;
    const ofPartition = {
      ...settings,
      concurrency: Math.ceil(concurrency / SHARE_OF_PLACES),
    };
    this.queues =
      settings.redis instanceof RedisCluster
        ? PARTITION_TAGS.map((tag) => new JobQueue({ ...ofPartition, prefix: `bull:{${tag}}` }))
        : [new JobQueue(settings)];
  }

  of(tenantId: string): JobQueue<T> {
    const queue = this.queues[this.queues.length === 1 ? 0 : partitionOf(tenantId)];
    if (queue === undefined) throw new Error('A partition has no queue.');
    return queue;
  }

  start(handler: Handler<T>): void {
    for (const queue of this.queues) queue.start(handler);
  }

  /** As {@link JobQueue.redriveOlder}, of each queue; one whose master is away does not hold up the others. */
  async redriveOlder(ageMs: number, max: number): Promise<number> {
    const redriven = await Promise.allSettled(
      this.queues.map(async (queue) => queue.redriveOlder(ageMs, max)),
    );
    const failed = redriven.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return redriven.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0);
  }

  /** @throws StoreUnavailableError when one of them cannot be counted */
  async counts(): Promise<{ readonly pending: number; readonly dead: number }> {
    const all = await Promise.all(this.queues.map(async (queue) => queue.counts()));
    return {
      pending: all.reduce((sum, { pending }) => sum + pending, 0),
      dead: all.reduce((sum, { dead }) => sum + dead, 0),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.queues.map(async (queue) => queue.close()));
  }
}
