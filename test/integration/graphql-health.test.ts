import { setTimeout as pause } from 'node:timers/promises';
import { Counter, Gauge, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { turn, withLagOf } from '../support/lag.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

let transport: TransportServer | undefined;
afterEach(async () => transport?.close());

const fine = async (): Promise<unknown> => undefined;

async function readiness(redis: () => Promise<unknown>, database: () => Promise<unknown>): Promise<unknown> {
  transport = await startTransport({ health: { redis, database } });
  const reply = await fetch(`${transport.url}/readyz`);
  return { status: reply.status, body: await reply.json() };
}

describe('health', () => {
  it('is ready when both stores answer', async () => {
    expect(await readiness(fine, fine)).toEqual({ status: 200, body: { status: 'ok', failing: [] } });
  });

  it('is not ready when a store fails, and names it without its message', async () => {
    const failing = async () => Promise.reject(new Error('password=1'));
    const body = { status: 'unavailable', failing: ['database'] };
    expect(await readiness(fine, failing)).toEqual({ status: 503, body });
  });

  it('answers 503 within two seconds when a store does not answer within one', async () => {
    const started = performance.now();
    const body = { status: 'unavailable', failing: ['redis'] };
    const silent = async () => Promise.withResolvers<never>().promise;
    const { result, lagMs } = await withLagOf([turn], async () => readiness(silent, fine));
    expect(result).toEqual({ status: 503, body });
    expect(performance.now() - started).toBeLessThan(2000 + 2 * lagMs);
  });

  it('lives as long as the process answers, whatever the stores do', async () => {
    transport = await startTransport({
      health: { redis: async () => Promise.reject(new Error('away')), database: fine },
    });
    const reply = await fetch(`${transport.url}/healthz`);
    expect({ status: reply.status, body: await reply.json() }).toEqual({
      status: 200,
      body: { status: 'ok' },
    });
  });

  it('shows the metrics it was given, and has no such page without them', async () => {
    const metrics = new Registry();
    new Counter({ name: 'things_total', help: 'Things.', registers: [metrics] }).inc(3);
    transport = await startTransport({ metrics });
    expect(await (await fetch(`${transport.url}/metrics`)).text()).toContain('things_total 3');
    await transport.close();
    transport = await startTransport();
    expect((await fetch(`${transport.url}/metrics`)).status).toBe(404);
  });

  it('X.19 makes one text of metrics and one look at the stores for a hundred who ask at once', async () => {
    const metrics = new Registry();
    let scrapes = 0;
    const collect = (): void => void (scrapes += 1);
    metrics.registerMetric(new Gauge({ name: 'things', help: 'Things.', registers: [], collect }));
    const LOOK_MS = 500;
    let looks = 0;
    const database = async (): Promise<void> => {
      looks += 1;
      await pause(LOOK_MS);
    };
    transport = await startTransport({ metrics, health: { redis: fine, database } });
    const { url } = transport;
    const ask = async (path: string) => (await fetch(`${url}${path}`)).status;
    const paths = Array.from({ length: 200 }, (_, no) => (no % 2 === 0 ? '/metrics' : '/readyz'));
    const fromMs = performance.now();
    const statuses = await Promise.all(paths.map(ask));
    const tookMs = performance.now() - fromMs;
    expect(statuses.every((status) => status === 200)).toBe(true);
    // On a busy machine the last of them may come after the first are answered.
    expect(scrapes).toBeLessThanOrEqual(1 + Math.ceil(tookMs / 1000));
    expect(looks).toBeLessThanOrEqual(1 + Math.floor(tookMs / (LOOK_MS - 1)));
  });
});
