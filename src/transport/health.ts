import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { sharedAnswer } from '../platform/scheduling/shared-answer.js';
import { resultWithin } from '../platform/scheduling/timeout.js';

const ANSWER_TIMEOUT_MS = 1000;
/** How old the text of the metrics may be. */
const METRICS_KEPT_MS = 1000;

/** What the process cannot work without, each with a question that fails when it is away. */
export type HealthChecks = Readonly<Record<'redis' | 'database', () => Promise<unknown>>>;

interface HealthParts {
  readonly checks: HealthChecks;
  readonly metrics: Registry | undefined;
  /** True from the beginning of the shutdown, so that a load balancer looks elsewhere while requests still finish. */
  readonly isDraining: () => boolean;
}

/**
 * `/healthz`: the process lives. `/readyz`: it can work. `/metrics`: what it has done. Anyone may ask, at any rate, so
 * all who ask at once share one look at the stores, and one text of metrics a second.
 */
export function addHealthRoutes(app: FastifyInstance, { checks, metrics, isDraining }: HealthParts): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  const names = Object.keys(checks) as (keyof HealthChecks)[];
  const look = sharedAnswer(async () => {
    const answers = await Promise.all(names.map((name) => answersInTime(checks[name])));
    return names.filter((_name, index) => !answers[index]);
  });
  app.get('/readyz', async (_request, reply) => {
    const failing: string[] = [...(await look())];
    if (isDraining()) failing.push('draining');
    void reply.header('cache-control', 'no-store').code(failing.length === 0 ? 200 : 503);
    return { status: failing.length === 0 ? 'ok' : 'unavailable', failing };
  });
  if (metrics === undefined) return;
  const text = sharedAnswer(async () => metrics.metrics(), METRICS_KEPT_MS);
  app.get('/metrics', async (_request, reply) => {
    void reply.header('content-type', metrics.contentType);
    return text();
  });
}

async function answersInTime(check: () => Promise<unknown>): Promise<boolean> {
  const answered = check().then(
    () => true,
    () => false,
  );
  return (await resultWithin(ANSWER_TIMEOUT_MS, answered)) === true;
}
