import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { gatheredByTenant } from '../../src/platform/scheduling/gathered.js';

interface Asked {
  readonly tenantId: string;
  readonly no: number;
}

describe('look-ups of tenants', () => {
  it('X.19 that hang or fail hold up those of their own tenant only', async () => {
    const { promise: hanging, resolve: answer } = Promise.withResolvers<void>();
    const loader = gatheredByTenant(async (tenantId, asked: readonly Asked[]) => {
      if (tenantId === 'HANGS') await hanging;
      if (tenantId === 'FAILS') throw new Error('no answer');
      return asked.map(({ no }) => `${tenantId} ${no}`);
    }, 10);
    const hung = loader.load({ tenantId: 'HANGS', no: 1 });
    const failed = loader.load({ tenantId: 'FAILS', no: 1 }).catch(String);
    expect(await loader.load({ tenantId: 'QUIET', no: 1 })).toBe('QUIET 1');
    expect(await failed).toBe('Error: no answer');
    expect(await loader.load({ tenantId: 'QUIET', no: 2 })).toBe('QUIET 2');
    answer();
    expect(await hung).toBe('HANGS 1');
  });

  it('that come while one of their tenant is under way go together', async () => {
    const batches: number[][] = [];
    const loader = gatheredByTenant(async (_tenantId, asked: readonly Asked[]) => {
      batches.push(asked.map(({ no }) => no));
      await nextTurn();
      return asked.map(({ no }) => no);
    }, 3);
    const first = loader.load({ tenantId: 'T', no: 0 });
    await expect.poll(() => batches).toEqual([[0]]);
    const rest = [1, 2, 3, 4].map(async (no) => loader.load({ tenantId: 'T', no }));
    expect(await Promise.all([first, ...rest])).toEqual([0, 1, 2, 3, 4]);
    expect(batches).toEqual([[0], [1, 2, 3], [4]]);
  });
});
