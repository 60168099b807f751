import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/observability/log.js';
import { SubscriptionJobs, type SubscriptionJobParts } from '../../src/subscriptions/subscriptions.jobs.js';

/** How long the sweep of each tenant takes. */
const TENANTS = { A: 30, B: 20, C: 10 } as const;

it('counts what was ended of all tenants that are swept at the same time', async () => {
  const rows = ['1', '2'].map((id) => ({ id, userId: '1', planId: '1', dueAt: '2026-01-01' }));
  const due = Object.keys(TENANTS).flatMap((tenantId) => rows.map((row) => ({ ...row, tenantId })));
  const transactions = {
    run: async (tenantId: keyof typeof TENANTS | null) => {
      if (tenantId === null) return due;
      await pause(TENANTS[tenantId]);
      return rows;
    },
  };
  const jobs = new SubscriptionJobs({
    clock: systemClock,
    log: createLog({ level: 'silent' }),
    transactions: transactions as unknown as SubscriptionJobParts['transactions'],
    outbox: {} as SubscriptionJobParts['outbox'],
    cache: { drop: async () => undefined } as unknown as SubscriptionJobParts['cache'],
  });
  expect(await jobs.sweepSubscriptions()).toBe(6);
});
