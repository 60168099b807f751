import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GroupCommit, TENANTS_ALONE_AT_ONCE } from '../../src/redemption/commit/group-commit.js';
import { claimOf, heldBack, openQueue } from '../support/commit-queue.js';

describe('GroupCommit', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('commits a lone claim at once, and those of one turn of the event loop together', async () => {
    const { queue, batches, add } = openQueue();
    const leave = queue.expect('A');
    await add('A');
    expect(batches.map(({ ids }) => ids)).toEqual([['1']]);
    leave(false);
    await add('A', 3);
    expect(batches.map(({ ids }) => ids)).toEqual([['1'], ['2', '3', '4']]);
  });

  it('waits for a share of the requests under way, but not for long', async () => {
    const { queue, batches, add } = openQueue();
    const leaves = Array.from({ length: 10 }, () => queue.expect('A'));
    await add('A', 7);
    expect(batches).toEqual([]);
    await add('A');
    expect(batches.map(({ ids }) => ids.length)).toEqual([8]);
    await add('A');
    await heldBack();
    expect(batches.map(({ ids }) => ids.length)).toEqual([8, 1]);
    for (const leave of leaves) leave(false);
  });

  it('continues when the requests it waited for have ended without a claim', async () => {
    const { queue, batches, add } = openQueue();
    const leaves = Array.from({ length: 10 }, () => queue.expect('A'));
    await add('A');
    for (const leave of leaves) leave(false);
    await turn();
    expect(batches).toHaveLength(1);
  });

  /** So many requests, of which the first commit takes all but two. */
  async function afterFirst({ queue, batches, add }: ReturnType<typeof openQueue>, count: number) {
    const leaves = Array.from({ length: count }, () => queue.expect('A'));
    await add('A', count - 2);
    await add('A', 2);
    batches[0]?.end();
    await turn();
    for (const leave of leaves.slice(2)) leave(true);
    await turn();
    return leaves.slice(0, 2);
  }

  it('waits for clients that were just answered, and commits their next requests with those that wait', async () => {
    const opened = openQueue();
    const { queue, batches, add } = opened;
    await afterFirst(opened, 10);
    for (let i = 0; i < 5; i += 1) queue.expect('A');
    await add('A', 5);
    expect(batches.map(({ ids }) => ids.length)).toEqual([8]);
    queue.expect('A');
    await add('A');
    expect(batches.map(({ ids }) => ids.length)).toEqual([8, 8]);
  });

  it('waits once for clients that do not return, and then for a second no more', async () => {
    const opened = openQueue();
    const { queue, batches, add } = opened;
    const leaves = await afterFirst(opened, 10);
    expect(batches).toHaveLength(1);
    await heldBack();
    expect(batches.map(({ ids }) => ids.length)).toEqual([8, 2]);
    batches[1]?.end();
    await turn();
    for (const leave of leaves) leave(false);
    queue.expect('A');
    await add('A');
    expect(batches.map(({ ids }) => ids.length)).toEqual([8, 2, 1]);
  });

  it('commits a lone client at once, however often it returns', async () => {
    const { queue, batches, add } = openQueue();
    for (let i = 0; i < 5; i += 1) {
      const leave = queue.expect('A');
      await add('A');
      expect(batches).toHaveLength(i + 1);
      batches[i]?.end();
      await turn();
      leave(true);
    }
  });

  it('commits claims within twice the wait, however often others are answered meanwhile', async () => {
    const { queue, batches, add } = openQueue();
    const leaves = Array.from({ length: 20 }, () => queue.expect('A'));
    await add('A');
    for (let answered = 0; answered < 4; answered += 1) {
      expect(batches).toEqual([]);
      leaves[answered]?.(true);
      vi.advanceTimersByTime(10);
      await turn();
    }
    expect(batches.map(({ ids }) => ids.length)).toEqual([1]);
  });

  it('does not wait for the return of claims that no client has asked for', async () => {
    const { queue, batches, add } = openQueue();
    await add('A', 10);
    batches[0]?.end();
    await turn();
    queue.expect('A');
    await add('A');
    expect(batches.map(({ ids }) => ids.length)).toEqual([10, 1]);
  });

  it('lets no tenant wait for the wait of another', async () => {
    const { queue, batches, add } = openQueue();
    for (const tenantId of ['A', 'B']) for (let i = 0; i < 5; i += 1) queue.expect(tenantId);
    await add('B');
    vi.advanceTimersByTime(15);
    await add('A');
    await heldBack(5);
    expect(batches.map(({ tenantId }) => tenantId)).toEqual(['B']);
    await heldBack(15);
    expect(batches.map(({ tenantId }) => tenantId)).toEqual(['B', 'A']);
  });

  it('answers the callers of a batch whose commit throws, and commits the next', async () => {
    let runs = 0;
    const commit = async (): Promise<never> => {
      runs += 1;
      throw new Error(`run ${runs}`);
    };
    const queue = new GroupCommit(
      { alone: commit, together: commit },
      { batchMax: 1, lanes: 1, tenantsMax: 32 },
    );
    await expect(queue.settle(claimOf('A', '1'))).rejects.toThrow('run 1');
    await expect(queue.settle(claimOf('A', '2'))).rejects.toThrow('run 2');
    await queue.drained();
  });

  it('does not wait for requests that wait themselves', async () => {
    const { queue, batches, add } = openQueue();
    const leaves = Array.from({ length: 10 }, () => queue.expect('A'));
    await add('A');
    expect(batches).toEqual([]);
    const held = Promise.withResolvers<void>();
    const aside = leaves.slice(1).map(async () => queue.aside('A', held.promise));
    await turn();
    expect(batches).toHaveLength(1);
    held.resolve();
    await Promise.all(aside);
    await add('A', 4);
    expect(batches).toHaveLength(1);
    for (const leave of leaves) leave(false);
    await turn();
    expect(batches).toHaveLength(2);
  });

  it('X.19 lets a tenant whose commits hang hold its own lanes only', async () => {
    const { batches, add } = openQueue({ batchMax: 1 });
    await add('A', 20);
    expect(batches.map(({ tenantId }) => tenantId)).toEqual(['A', 'A']);
    await add('B');
    expect(batches.map(({ tenantId }) => tenantId)).toEqual(['A', 'A', 'B']);
  });

  it('takes no more connections than it has, and gives the next one to the tenant that waits longest', async () => {
    const { batches, add } = openQueue({ batchMax: 1 });
    const tenants = Array.from({ length: TENANTS_ALONE_AT_ONCE + 2 }, (_, i) => `T${i}`);
    for (const tenantId of tenants) await add(tenantId, 3);
    expect(batches).toHaveLength(2 * TENANTS_ALONE_AT_ONCE);
    batches[0]?.end();
    await turn();
    expect(batches.slice(2 * TENANTS_ALONE_AT_ONCE).map(({ tenantId }) => tenantId)).toEqual([
      `T${TENANTS_ALONE_AT_ONCE}`,
    ]);
  });

  it('has one commit for one redemption, and is drained when all are answered', async () => {
    const { queue, batches } = openQueue();
    const claim = claimOf('A', '1');
    const both = [queue.settle(claim), queue.settle({ ...claim })];
    expect(queue.joining(claim)).toBeDefined();
    await turn();
    await turn();
    expect(batches).toHaveLength(1);
    batches[0]?.end();
    await queue.drained();
    expect(await Promise.all(both)).toEqual([{ kind: 'ABORTED' }, { kind: 'ABORTED' }]);
    expect(queue.joining(claim)).toBeUndefined();
  });
});
