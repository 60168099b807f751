import { describe, expect, it } from 'vitest';
import { codeMetrics } from '../../src/codes/code.metrics.js';
import { createMetrics } from '../../src/platform/observability/metrics.js';
import { redemptionMetrics } from '../../src/redemption/redemption.metrics.js';

function allMetrics() {
  const { registry } = createMetrics();
  return { registry, ...codeMetrics(registry), ...redemptionMetrics(registry) };
}

describe('the metrics', () => {
  it('bear the names that dashboards know', async () => {
    const metrics = allMetrics();
    metrics.claims.inc({ outcome: 'CODE_EXPIRED' });
    const text = await metrics.registry.metrics();
    expect(text).toContain('redemption_claims_total{outcome="CODE_EXPIRED"} 1');
    for (const name of [
      'redemption_claim_seconds',
      'redemption_commit_seconds',
      'redemption_commit_batch_size',
      'redemption_transactions_total',
      'marketing_codes_generated_total',
      'outbox_pending',
      'outbox_consumed_total',
    ]) {
      expect(text).toContain(`# TYPE ${name} `);
    }
  });

  it('count campaigns beyond the first 200 together', async () => {
    const metrics = allMetrics();
    for (let campaign = 1; campaign <= 250; campaign += 1) {
      metrics.codesGenerated.inc({ campaign: metrics.campaignLabel(String(campaign)) }, 2);
    }
    metrics.codesGenerated.inc({ campaign: metrics.campaignLabel('200') });
    const { values } = await metrics.codesGenerated.get();
    expect(values).toHaveLength(201);
    expect(values.find(({ labels }) => labels.campaign === 'other')?.value).toBe(100);
    expect(values.find(({ labels }) => labels.campaign === '200')?.value).toBe(3);
  });

  it('of two sets in one process do not collide', () => {
    expect(createMetrics({ withProcess: true }).registry).not.toBe(
      createMetrics({ withProcess: true }).registry,
    );
  });

  it('counts the events that wait at each scrape, and keeps the last count while the database is away', async () => {
    const counts = [async () => 3, async () => Promise.reject(new Error('away')), async () => 5];
    const { registry } = createMetrics({
      countOutboxPending: async () => (counts.shift() ?? (async () => 0))(),
    });
    const scrape = async () => /^outbox_pending (\d+)$/m.exec(await registry.metrics())?.[1];
    expect([await scrape(), await scrape(), await scrape()]).toEqual(['3', '3', '5']);
  });
});
