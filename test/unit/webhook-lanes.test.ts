import { beforeEach, expect, it, vi } from 'vitest';
import { createLog } from '../../src/platform/observability/log.js';
import type { DueWebhook } from '../../src/webhooks/delivery-rows.js';
import { DeliveryWorker } from '../../src/webhooks/delivery-worker.js';

const LANES = 12;
const HINDERED = 6;

let nowMs = 1_000_000;
beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});

it('leaves places to other webhooks once receivers were slow, also where they answer well', async () => {
  const due = new Map<string, DueWebhook>();
  const running = new Map<string, () => void>();
  const add = (webhookId: string): unknown =>
    due.set(webhookId, { tenantId: `T${webhookId}`, webhookId, overdueMs: 0, isFailing: false });
  const worker = new DeliveryWorker({
    rows: { due: async () => Promise.resolve([...due.values()]) },
    lane: {
      run: async ({ webhookId }) => {
        await new Promise<void>((resolve) => {
          running.set(webhookId, resolve);
        });
        running.delete(webhookId);
      },
    },
    log: createLog({ level: 'silent' }),
    oldestDue: { set: () => undefined },
  });
  for (let slow = 0; slow < LANES + 2; slow += 1) add(`slow-${slow}`);
  worker.start();
  await expect.poll(() => running.size).toBe(LANES);
  nowMs += 10_000;
  for (const end of running.values()) end();
  // The two that were never served are not known to be slow.
  await expect.poll(() => running.size).toBe(HINDERED + 2);
  for (const quick of ['quick-1', 'quick-2']) {
    add(quick);
    worker.wake();
    await expect.poll(() => running.has(quick)).toBe(true);
  }
  due.clear();
  for (const end of running.values()) end();
  await worker.stop();
});
