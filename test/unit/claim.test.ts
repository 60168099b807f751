import { describe, expect, it } from 'vitest';
import { DEFERRED_DEADLINE_MS } from '../../src/config.js';
import { parseClaim } from '../../src/redemption/claim/claim.js';

const CLAIMED_MS = 1_763_000_000_000;
const snapshot = JSON.stringify({ userId: '7', idempotencyKey: null, rewards: [] });

function claimUntil(deadlineMs: number) {
  return parseClaim('CH_1', '42', 'D', `${CLAIMED_MS}|${deadlineMs}|a-token|${snapshot}`);
}

describe('parseClaim', () => {
  it('reads a claim as the script stores it', () => {
    expect(claimUntil(CLAIMED_MS + 15_000)).toMatchObject({
      tenantId: 'CH_1',
      redemptionId: '42',
      digest: 'D',
      token: 'a-token',
      claimedAtMs: CLAIMED_MS,
      userId: '7',
    });
  });

  it('tells by its deadline whether the order of a claim was promised', () => {
    expect(claimUntil(CLAIMED_MS + 15_000).isDeferred).toBe(false);
    expect(claimUntil(CLAIMED_MS + 2000 + DEFERRED_DEADLINE_MS).isDeferred).toBe(true);
  });

  it('refuses what is no claim', () => {
    expect(() => parseClaim('CH_1', '42', 'D', 'nonsense')).toThrow('cannot be read');
  });
});
