import { expect, it } from 'vitest';
import { NO_LIMITS } from '../../src/limits/rate-limit.service.js';
import {
  RedemptionService,
  type LogScope,
  type RedemptionServiceParts,
} from '../../src/redemption/redeem/redemption.service.js';

it('answers SERVICE_UNAVAILABLE in time where the limits have changed and the database hangs', async () => {
  const parts = {
    ids: { next: () => '1' },
    redis: { admit: async () => ({ status: 'LIMITS_CHANGED', nowMs: 0, epoch: '', version: 'b' }) },
    eligibility: {
      begin: async () => ({ limits: NO_LIMITS }),
      keysOf: () => ({}),
      limitedAgain: async () => Promise.withResolvers().promise,
    },
    groupCommit: { expect: () => () => undefined },
    settlement: { deferredBefore: async () => null },
    refusals: { log: () => undefined },
    metrics: { claims: { inc: () => undefined }, claimSeconds: { startTimer: () => () => 0 } },
    storeTimeoutMs: 20,
  } as unknown as RedemptionServiceParts;
  const scope = { log: { warn: () => undefined } } as unknown as LogScope;
  const request = {
    tenantId: 'T_1',
    userId: '1',
    code: 'ABCDEFGH23456789',
    productCode: 'DEMO',
    deviceId: null,
    idempotencyKey: null,
  };
  const answer = await new RedemptionService(parts).redeem(request, scope);
  expect(answer).toMatchObject({ status: 'REFUSED', refusal: { code: 'SERVICE_UNAVAILABLE' } });
});
