import { setTimeout as pause } from 'node:timers/promises';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

const SEND_EVERY_MS = 1000;
const LAST_SPANS_MS = 2000;

/**
 * Registers the SDK of OpenTelemetry with its API.
 * @param ratio the part of the requests that is traced where the caller does not decide, 0 to 1
 * @returns sends what is left, and stops
 */
export function openTracing(ratio: number): () => Promise<void> {
  const own = resourceFromAttributes({ 'service.name': 'redeemkit', 'process.pid': process.pid });
  const given = detectResources({ detectors: [envDetector, serviceNameEnvDetector] });
  const provider = new TracerProvider({
    resource: defaultResource().merge(own).merge(given),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: SEND_EVERY_MS }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return async () => {
    // Nothing is traced any more, and nothing waits for a collector that does not answer.
    const sent = provider.shutdown().catch(() => undefined);
    await Promise.race([sent, pause(LAST_SPANS_MS, undefined, { ref: false })]);
  };
}
