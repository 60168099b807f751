import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { HeldUses } from '../../src/redemption/claim/held-uses.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('X.17 a claim that this process has closed wakes those that wait for its code at once, and no others', async () => {
  const held = new Set(['a', 'b']);
  const uses = new HeldUses({ areUsesHeld: async (_tenantId, digest) => held.has(digest) }, 500);
  const waits = ['a', 'b'].map(async (digest) => uses.settled('T', digest, performance.now() + 500));
  await vi.advanceTimersByTimeAsync(400);
  held.clear();
  uses.closed('T', [{ digest: 'a' } as Claim]);
  // No timer runs: only the closed claim can be the reason.
  const first = await Promise.race([waits[0], waits[1]?.then(() => 'the other')]);
  expect(first).toBe(true);
  await vi.advanceTimersByTimeAsync(60);
  expect(await waits[1]).toBe(true);
});
