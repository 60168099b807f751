import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GroupCommit, TENANTS_ALONE_AT_ONCE } from '../../src/redemption/commit/group-commit.js';
import { claimOf, heldBack, openQueue } from '../support/commit-queue.js';

describe('GroupCommit with claims of several tenants', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Two lanes are busy, so that what comes next waits. */
  async function busy(options: Parameters<typeof openQueue>[0] = {}) {
    const opened = openQueue(options);
    await opened.add('X');
    await opened.add('Y');
    expect(opened.shown()).toEqual(['X 1', 'Y 2']);
    return opened;
  }

  /** The lanes of transactions of several tenants are busy as well. */
  async function crowded(options: Parameters<typeof openQueue>[0] = {}) {
    const opened = await busy(options);
    await opened.add('V');
    await opened.add('W');
    expect(opened.shown(2)).toEqual(['V 3', 'W 4']);
    return opened;
  }

  it('X.14 commits small batches of tenants together when a lane of such commits is free', async () => {
    const { batches, add, shown } = await crowded();
    await add('A');
    await add('B', 2);
    await add('C');
    expect(batches).toHaveLength(4);
    batches[2]?.end();
    await turn();
    expect(shown(4)).toEqual(['A+B+C 5,6,7,8']);
  });

  it('commits those of one turn of the event loop together, in the first commit as well', async () => {
    const { queue, shown } = openQueue();
    for (const [at, tenantId] of ['A', 'B', 'A'].entries()) void queue.settle(claimOf(tenantId, String(at)));
    await turn();
    await turn();
    expect(shown()).toEqual(['A+B 0,2,1']);
  });

  it('commits a batch that is large, or of a tenant with a commit under way, alone', async () => {
    const { batches, add, shown } = await crowded();
    await add('A');
    await add('X');
    await add('B', 32);
    expect(shown(4)).toEqual(['X 6', `B ${Array.from({ length: 32 }, (_, i) => i + 7).join()}`]);
    batches[3]?.end();
    await turn();
    expect(shown(6)).toEqual(['A 5']);
  });

  it('starts no commit of a tenant whose claims are being committed with those of others', async () => {
    const { batches, add, shown } = await crowded();
    await add('V', 2);
    expect(batches).toHaveLength(4);
    batches[2]?.end();
    await turn();
    expect(shown(4)).toEqual(['V 5,6']);
  });

  it('takes no tenant along that still waits for its requests', async () => {
    const { queue, batches, add, shown } = await crowded();
    for (let i = 0; i < 5; i += 1) queue.expect('B');
    await add('A');
    await add('B');
    await add('C');
    batches[2]?.end();
    await turn();
    expect(shown(4)).toEqual(['A+C 5,7']);
  });

  it('takes no more claims than a transaction commits, and no more tenants', async () => {
    const { batches, add } = await crowded({ batchMax: 64, tenantsMax: 10 });
    for (let i = 0; i < 12; i += 1) await add(`S${i}`);
    batches[2]?.end();
    await turn();
    expect(batches[4]?.ids).toHaveLength(10);
    for (let i = 0; i < 10; i += 1) await add(`M${i}`, 7);
    batches[4]?.end();
    await turn();
    expect(batches[5]?.ids).toHaveLength(2 + 8 * 7);
  });

  it.each([
    ['one tenant a transaction', { tenantsMax: 1 }],
    ['one claim a transaction', { batchMax: 1 }],
  ])('commits each tenant alone with %s', async (_, options) => {
    const { add, shown } = await busy(options);
    await add('A');
    await add('B');
    expect(shown(2)).toEqual(['A 3', 'B 4']);
  });

  it('X.19 commits claims of others while those that go alone hang, all lanes of theirs', async () => {
    const { batches, add, shown } = openQueue({ isClean: false });
    const tenants = Array.from({ length: TENANTS_ALONE_AT_ONCE + 1 }, (_, i) => `T${i}`);
    for (const tenantId of tenants) await add(tenantId, 32);
    for (const tenantId of tenants) await add(tenantId, 32);
    expect(batches).toHaveLength(2 * TENANTS_ALONE_AT_ONCE);
    await add('A');
    expect(shown(2 * TENANTS_ALONE_AT_ONCE)).toEqual([expect.stringMatching(/^A /)]);
  });

  it('X.19 has a small batch go alone where commits of several tenants hang', async () => {
    const { batches, add, shown } = await crowded();
    await add('A');
    await heldBack(249);
    expect(batches).toHaveLength(4);
    await heldBack(1);
    expect(shown(4)).toEqual(['A 5']);
  });

  it('has a tenant whose claims were refused go alone for as long as it was not idle for a minute', async () => {
    const { batches, add, shown } = openQueue({ isClean: false });
    await add('A');
    batches[0]?.end();
    await turn();
    const both = async (): Promise<string[]> => {
      const from = batches.length;
      await Promise.all([add('A'), add('B')]);
      for (const { end } of batches.slice(from)) end();
      await turn();
      return shown(from).map((text) => text.replace(/ .*/, ''));
    };
    await heldBack(59_000);
    expect(await both()).toEqual(['A', 'B']);
    for (let second = 0; second < 61; second += 1) await heldBack(1000);
    expect(await both()).toEqual(['A+B']);
  });

  it('answers the callers of several tenants whose commit throws, and commits the next', async () => {
    const thrown = async (): Promise<never> => Promise.reject(new Error('broken'));
    const queue = new GroupCommit(
      { alone: thrown, together: thrown },
      { batchMax: 256, lanes: 1, tenantsMax: 32 },
    );
    for (const id of ['1', '2']) {
      const both = ['A', 'B'].map(async (tenantId) => queue.settle(claimOf(tenantId, id)));
      for (const one of both) await expect(one).rejects.toThrow('broken');
    }
    await queue.drained();
  });

  it('commits what was left out alone, and first, and meanwhile others without it', async () => {
    const { batches, add, shown } = await crowded();
    await add('A', 2);
    await add('B');
    batches[2]?.end();
    await turn();
    expect(shown(4)).toEqual(['A+B 5,6,7']);
    await add('A');
    batches[4]?.end(['6']);
    await turn();
    expect(shown(5)).toEqual(['A 6,8']);
    await add('A');
    await add('B');
    expect(shown(6)).toEqual(['A 9', 'B 10']);
  });

  it('lets a tenant go with others again when its claims were committed alone', async () => {
    const { batches, add, shown } = await crowded();
    await add('A');
    await add('B');
    batches[2]?.end();
    await turn();
    batches[4]?.end(['5', '6']);
    await turn();
    expect(shown(5)).toEqual(['A 5', 'B 6']);
    for (const { end } of batches.slice(5)) end();
    await turn();
    await add('C');
    await add('A');
    await add('B');
    batches[3]?.end();
    await turn();
    expect(shown(7)).toEqual(['C 7', 'A+B 8,9']);
  });

  it('keeps claims that were left out from others for as long as they wait for a lane', async () => {
    const { batches, add, shown } = await crowded();
    for (let i = 2; i < 2 * TENANTS_ALONE_AT_ONCE; i += 1) await add(`L${i}`, 32);
    await add('A');
    await add('B');
    batches[2]?.end();
    await turn();
    const from = batches.length;
    batches.at(-1)?.end([...(batches.at(-1)?.ids ?? [])]);
    await turn();
    await heldBack(5000);
    await add('C');
    expect(shown(from)).toEqual([expect.stringMatching(/^C /)]);
    batches[0]?.end();
    await turn();
    expect(shown(from + 1)).toEqual([expect.stringMatching(/^A \d+$/)]);
  });

  it('has a tenant whose claims are refused go alone', async () => {
    const { batches, add, shown } = await crowded({ isClean: false });
    for (const { end } of batches) end();
    await turn();
    await add('C');
    await add('D');
    await add('E');
    await add('F');
    await add('X');
    expect(shown(4)).toEqual(['C 5', 'D 6', 'E 7', 'F 8', 'X 9']);
  });
});
