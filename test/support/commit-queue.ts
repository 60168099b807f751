import { setImmediate as turn } from 'node:timers/promises';
import { vi } from 'vitest';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { GroupCommit, type Batches } from '../../src/redemption/commit/group-commit.js';
import type { QueuedClaim } from '../../src/redemption/commit/tenant-queue.js';

export const claimOf = (tenantId: string, redemptionId: string): Claim => ({
  tenantId,
  redemptionId,
  userId: '1',
  codeId: '2',
  campaignId: '3',
  batchId: '4',
  productCode: 'DEMO',
  deviceId: null,
  idempotencyKey: null,
  rewards: [],
  digest: 'D',
  token: 'T',
  claimedAtMs: 1,
  isDeferred: false,
});

export interface Batch {
  /** Several, joined by a plus sign, where they go together. */
  readonly tenantId: string;
  readonly ids: string[];
  /** @param left ids that a transaction of several tenants leaves to be committed alone */
  readonly end: (left?: readonly string[]) => void;
}

/** A queue whose commits end when the test ends them. */
export function openQueue({ batchMax = 256, lanes = 2, tenantsMax = 32, isClean = true } = {}) {
  const batches: Batch[] = [];
  const commit = async (tenantId: string, batch: readonly QueuedClaim[]): Promise<Set<QueuedClaim>> => {
    const ended = Promise.withResolvers<readonly string[]>();
    const idOf = ({ claim }: QueuedClaim): string => claim.redemptionId;
    batches.push({ tenantId, ids: batch.map(idOf), end: (left = []) => ended.resolve(left) });
    const leftIds = await ended.promise;
    const left = new Set(batch.filter((queued) => leftIds.includes(idOf(queued))));
    for (const queued of batch) if (!left.has(queued)) queued.resolve({ kind: 'ABORTED' });
    return left;
  };
  const alone = async (tenantId: string, batch: readonly QueuedClaim[]): Promise<boolean> => {
    await commit(tenantId, batch);
    return isClean;
  };
  const together = async (parts: Batches) => commit([...parts.keys()].join('+'), [...parts.values()].flat());
  const queue = new GroupCommit({ alone, together }, { batchMax, lanes, tenantsMax });
  let id = 0;
  const add = async (tenantId: string, count = 1): Promise<void> => {
    for (let i = 0; i < count; i += 1) void queue.settle(claimOf(tenantId, String((id += 1))));
    await turn();
    await turn();
  };
  const shown = (from = 0): string[] =>
    batches.slice(from).map(({ tenantId, ids }) => `${tenantId} ${ids.join()}`);
  return { queue, batches, add, shown };
}

/** As long as a commit is held back at most. */
export async function heldBack(ms = 20): Promise<void> {
  vi.advanceTimersByTime(ms);
  await turn();
}
