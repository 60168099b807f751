import { describe, expect, it, vi } from 'vitest';
import { ORDER_STATUSES, type OrderStatus } from '../../src/orders/orders/order.entity.js';
import { moveOrders, ORDER_MOVES } from '../../src/orders/orders/order-state.js';
import type { Em } from '../../src/platform/database/orm.js';

async function move(from: OrderStatus, to: OrderStatus) {
  const execute = vi.fn<(...asked: unknown[]) => Promise<{ affectedRows: number }>>(async () =>
    Promise.resolve({ affectedRows: 1 }),
  );
  const moved = moveOrders({ execute } as unknown as Em, 'T', ['2', '1', '2'], { from, to, set: {} });
  return { execute, moved: await moved.catch((error: unknown) => String(error)) };
}

const PAIRS = ORDER_STATUSES.flatMap((from) => ORDER_STATUSES.map((to) => [from, to] as const));

describe('an order', () => {
  it.each(PAIRS.filter(([from, to]) => ORDER_MOVES[from].includes(to)))(
    'moves from %s to %s by one statement that compares the state',
    async (from, to) => {
      const { execute, moved } = await move(from, to);
      expect(moved).toBe(1);
      expect(execute.mock.calls).toEqual([
        [
          expect.stringMatching(/where tenant_id = \? and id in \(\?\) and status = \?$/),
          [to, 'T', ['1', '2'], from],
          'run',
        ],
      ]);
    },
  );

  it.each(PAIRS.filter(([from, to]) => !ORDER_MOVES[from].includes(to)))(
    'cannot move from %s to %s, and nothing is asked of the database',
    async (from, to) => {
      const { execute, moved } = await move(from, to);
      expect(moved).toContain('cannot move');
      expect(execute).not.toHaveBeenCalled();
    },
  );

  it('ends as CLOSED, FAILED or REFUNDED', () => {
    expect(ORDER_STATUSES.filter((status) => ORDER_MOVES[status].length === 0)).toEqual([
      'CLOSED',
      'FAILED',
      'REFUNDED',
    ]);
  });
});
