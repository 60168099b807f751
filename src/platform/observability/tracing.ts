import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { scrub } from './scrub.js';

const tracer = trace.getTracer('redeemkit');
let isTracing = false;

/**
 * Sends spans to a collector, by OTLP over HTTP. The exporter reads the standard variables of OpenTelemetry: endpoint,
 * headers, service name, resource attributes. A collector that is away costs spans, never a request.
 * @param ratio the part of the requests that is traced where the caller does not decide, 0 to 1
 * @returns sends what is left, and stops
 */
export async function startTracing(ratio: number): Promise<() => Promise<void>> {
  const { openTracing } = await import('./tracing-export.js');
  const stop = openTracing(ratio);
  isTracing = true;
  return async () => {
    isTracing = false;
    await stop();
  };
}

/**
 * Runs the work inside a span of the request that it belongs to; background work and a process without a collector
 * have none. Names and attributes must hold no secret.
 */
export async function traced<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  if (!isTracing || trace.getActiveSpan() === undefined) return work();
  return tracer.startActiveSpan(name, { attributes, kind: SpanKind.CLIENT }, async (span) => {
    try {
      return await work();
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A span of a request: its parent is the caller's span where the headers name one. Null while nothing is traced. */
export function requestSpan(name: string, headers: object, attributes: Attributes): RequestSpan | null {
  if (!isTracing) return null;
  const parent = propagation.extract(context.active(), headers);
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  return new RequestSpan(span, trace.setSpan(parent, span));
}

export class RequestSpan {
  constructor(
    private readonly span: Span,
    private readonly inside: Context,
  ) {}

  /** What this calls, and everything that it starts, belongs to the span. */
  enter(next: () => void): void {
    context.with(this.inside, next);
  }

  /** Ends it with the status of the answer. */
  end(httpStatus: number): void {
    this.span.setAttribute('http.response.status_code', httpStatus);
    if (httpStatus >= 500) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }
}

/** Adds to the span of the moment; the attributes are made only where there is one. */
export function describeSpan(attributesOf: () => Attributes): void {
  if (isTracing) trace.getActiveSpan()?.setAttributes(attributesOf());
}

/** The ids by which a line of the log is found beside its span. */
export function traceIds(): { traceId: string; spanId: string } | undefined {
  const ids = isTracing ? trace.getActiveSpan()?.spanContext() : undefined;
  return ids && { traceId: ids.traceId, spanId: ids.spanId };
}

function fail(span: Span, error: unknown): void {
  const message = scrub(error instanceof Error ? error.message : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
