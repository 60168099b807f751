import { setImmediate as round } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Caller } from '../../src/platform/scheduling/fair-queue.js';
import { LoopTurns } from '../../src/platform/scheduling/loop-turns.js';

const A: Caller = { tenantId: 'A', kind: 'USER', id: '1' };
const B: Caller = { tenantId: 'B', kind: 'USER', id: '1' };

describe('turns of the event loop (X.19)', () => {
  it('runs one slice per round of the loop, so that what arrives in between is served', async () => {
    const turns = new LoopTurns();
    let slices = 0;
    for (let asked = 0; asked < 20; asked += 1) void turns.next(A).then(() => (slices += 1));
    const perRound: number[] = [];
    for (let rounds = 0; rounds < 20; rounds += 1) {
      await round();
      perRound.push(slices);
    }
    expect(perRound).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it('lets a tenant with one slice pass one with a thousand', async () => {
    const turns = new LoopTurns();
    let ofA = 0;
    for (let asked = 0; asked < 1000; asked += 1) void turns.next(A).then(() => (ofA += 1));
    await turns.next(B);
    expect(ofA).toBeLessThanOrEqual(2);
  });

  it('keeps a distance of 4 ms between slices while the machine is needed elsewhere', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      let isPressed = true;
      const turns = new LoopTurns(() => isPressed);
      let slices = 0;
      for (let asked = 0; asked < 20; asked += 1) void turns.next(A).then(() => (slices += 1));
      await vi.advanceTimersByTimeAsync(3);
      expect(slices).toBe(0);
      await vi.advanceTimersByTimeAsync(4 * 5);
      expect(slices).toBe(5);
      isPressed = false;
      await vi.advanceTimersByTimeAsync(1);
      for (let rounds = 0; rounds < 14; rounds += 1) await round();
      expect(slices).toBe(20);
    } finally {
      vi.useRealTimers();
    }
  });
});
