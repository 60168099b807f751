import type { MikroORM } from '@mikro-orm/core';
import { expect, it, vi } from 'vitest';
import { RateLimitService } from '../../src/limits/rate-limit.service.js';
import type { ProductLineService } from '../../src/tenancy/product-line.service.js';

const SETTINGS = {
  hour: 10,
  day: 100,
  shares: { USER: 20, DEVICE: 20, IP: 50 },
  failuresFree: { USER: 20, DEVICE: 40, IP: 200, TENANT: 5000 },
  timeoutMs: 1000,
};

it('X.7 drops what it remembers of limits once for each version, however many attempts learn of it', () => {
  const invalidate = vi.fn<(tenantId: string) => void>();
  const lines = { invalidate } as unknown as ProductLineService;
  const limits = new RateLimitService({} as MikroORM, lines, SETTINGS);
  for (const version of ['a', 'a', 'b', 'b', 'b']) limits.changed('T_1', version);
  expect(limits.version('T_1')).toBe('b');
  limits.changed('T_2', 'b');
  // Redis was emptied, and has no version.
  limits.changed('T_1', '');
  expect(limits.version('T_1')).toBe('');
  expect(invalidate.mock.calls).toEqual([['T_1'], ['T_1'], ['T_2'], ['T_1']]);
});
