import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBundled } from '../support/cluster.js';
import type { RunningProcess } from '../support/processes.js';
import {
  deliveriesOf,
  LOOPBACK_ALLOWED,
  newTenantId,
  openWebhookWorld,
  tell,
  type WebhookWorld,
} from '../support/webhook-world.js';

const EVENTS = 200;

let world: WebhookWorld;
beforeAll(async () => {
  world = await openWebhookWorld();
});
afterAll(async () => world?.close());

async function startWorker(more = {}): Promise<RunningProcess> {
  const { databaseUrl, redisUrl } = world;
  const environment = { ...LOOPBACK_ALLOWED, STORE_TIMEOUT_MS: '10000', ...more };
  return startBundled({ role: 'worker', databaseUrl, redisUrl, environment });
}

describe('a worker that is killed while it delivers', () => {
  it('leaves no gap: another one sends what it had begun, and duplicates have the same id', async () => {
    const { here, receiver } = world;
    const tenantId = await newTenantId(here);
    receiver.on('/killed', (_each, response) => void setTimeout(() => response.writeHead(204).end(), 40));
    const { webhook } = await here.services.webhooks.create(tenantId, { url: receiver.urlOf('/killed') });
    const victim = await startWorker();
    const seqs = await tell(here, tenantId, EVENTS);
    await expect.poll(() => receiver.at('/killed').length, { interval: 5 }).toBeGreaterThan(20);
    await victim.kill();
    const soFar = receiver.at('/killed').length;
    expect(soFar).toBeLessThan(EVENTS);
    // On a busy machine this test answers late, and a delivery that is given up is sent once more.
    const heir = await startWorker({ WEBHOOK_TIMEOUT_MS: '30000' });
    const delivered = async (): Promise<number> =>
      (await deliveriesOf(here, webhook)).filter(({ status }) => status === 'DELIVERED').length;
    await expect.poll(delivered, { timeout: 90_000, interval: 200 }).toBe(EVENTS);
    await heir.stop();
    const received = receiver.at('/killed');
    expect([...new Set(received.map(({ seq }) => seq))].toSorted((a, b) => a - b)).toEqual(seqs);
    expect(received.every(({ seq, headers }) => headers['webhook-id'] === `${tenantId}-${seq}`)).toBe(true);
    // At most what was under way is sent twice.
    expect(received.length - EVENTS).toBeLessThanOrEqual(4);
    const attempts = (await deliveriesOf(here, webhook)).reduce((sum, each) => sum + each.attempts, 0);
    expect(attempts).toBeGreaterThanOrEqual(received.length);
  });
});
