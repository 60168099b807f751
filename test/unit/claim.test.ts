import { describe, expect, it } from 'vitest';
import {
  claimText,
  newClaimText,
  parseClaim,
  readStoredClaim,
  type Claim,
} from '../../src/redemption/claim/claim.js';

const SNAPSHOT = {
  userId: '7',
  codeId: '8',
  campaignId: '9',
  batchId: '10',
  productCode: 'DEMO',
  deviceId: null,
  idempotencyKey: null,
  rewards: [],
};
const CLAIM = {
  ...SNAPSHOT,
  tenantId: 'CH_1',
  redemptionId: '42',
  digest: 'D',
  token: 'a-token',
  claimedAtMs: 1_763_000_000_000,
  isDeferred: true,
};
const DEADLINE_MS = CLAIM.claimedAtMs + 15_000;

describe('the stored form of a claim', () => {
  it('is read as it was written', () => {
    const text = claimText(CLAIM, DEADLINE_MS);
    expect(parseClaim('CH_1', '42', 'D', text)).toEqual(CLAIM);
    expect(readStoredClaim('42', text)).toMatchObject({ deadlineMs: DEADLINE_MS, deferred: true });
  });

  it('of a new claim lacks only what Redis adds', () => {
    const added = { claimedAtMs: CLAIM.claimedAtMs, deadlineMs: DEADLINE_MS, deferred: false };
    const text = JSON.stringify({ ...added, ...(JSON.parse(newClaimText('a-token', SNAPSHOT)) as object) });
    expect(parseClaim('CH_1', '42', 'D', text)).toEqual({ ...CLAIM, isDeferred: false });
  });

  it('of a former version, whose rewards had no amounts, is read with their defaults', () => {
    const rule = {
      type: 'SUBSCRIPTION',
      id: '5',
      unit: null,
      quantity: 2,
      value: '0',
      condition: null,
    } as const;
    const rewards = [{ rewardNo: 0, rule }] as unknown as Claim['rewards'];
    const text = claimText({ ...CLAIM, rewards }, DEADLINE_MS);
    expect(text).not.toContain('amount');
    const added = { amount: null, currency: null, validDays: null, when: null };
    expect(parseClaim('CH_1', '42', 'D', text).rewards).toEqual([
      { rewardNo: 0, rule: { ...rule, ...added } },
    ]);
  });

  it.each(['nonsense', '', 'null', '[]', '{"token":"t"}', '1|2|token|{}'])('refuses %j', (text) => {
    expect(() => parseClaim('CH_1', '42', 'D', text)).toThrow('cannot be read');
  });
});
