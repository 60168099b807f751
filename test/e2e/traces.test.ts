import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { signedUser, startBundled, type SignedUser } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import type { RunningProcess } from '../support/processes.js';
import { openWorld, PATIENT, seedCampaign, seedTenant, type World } from '../support/world.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const REDEEM = `mutation Redeem($code: String!) {
  redeemCode(input: { code: $code }) { status errors { code } }
}`;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

interface SentTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

let world: World;
let user: SignedUser;
let codes: readonly string[];
let collector: Server;
let api: RunningProcess;
const received: SentTraces[] = [];

beforeAll(async () => {
  world = await openWorld();
  const tenant = await seedTenant(world);
  ({ codes } = await seedCampaign(world, tenant, 3));
  user = await signedUser(world, tenant.tenantId);
  collector = createServer((request, response) => void take(request, response)).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  api = await start((collector.address() as AddressInfo).port);
});
afterAll(async () => {
  await api?.stop();
  collector?.close();
  await world?.close();
});

async function take(...[request, response]: Parameters<NonNullable<Parameters<typeof createServer>[1]>>) {
  const sent = await json(request);
  if (request.url === '/v1/traces') received.push(sent as SentTraces);
  response.setHeader('content-type', 'application/json').end('{}');
}

async function start(port: number): Promise<RunningProcess> {
  return startBundled({
    role: 'api',
    databaseUrl: inject('databaseUrl'),
    redisUrl: inject('redisUrl'),
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_SERVICE_NAME: 'redemptions',
      OTEL_TRACES_SAMPLER_ARG: '0',
      ...PATIENT,
    },
  });
}

async function redeem(url: string, code: string | undefined, headers: Record<string, string> = {}) {
  return graphqlRequest<{ redeemCode: { status: string } }>(url, {
    query: REDEEM,
    variables: { code },
    token: user.token,
    headers: { 'x-product-code': 'DEMO', ...headers },
  });
}

const spans = (): readonly SentSpan[] =>
  received.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
  );

describe('traces', () => {
  it('shows a redemption as one trace from the caller to the scripts and the transaction', async () => {
    const answer = await redeem(api.url, codes[0], { traceparent: `00-${TRACE}-${PARENT}-01` });
    expect(answer.data?.redeemCode.status).toBe('COMMITTED');

    await expect.poll(() => spans().map(({ name }) => name)).toContain('POST /graphql');
    const own = spans().filter(({ traceId }) => traceId === TRACE);
    const request = own.find(({ name }) => name === 'POST /graphql');
    expect(request?.parentSpanId).toBe(PARENT);
    expect(request?.attributes).toContainEqual({
      key: 'graphql.operation.name',
      value: { stringValue: 'Redeem' },
    });
    await expect
      .poll(() => spans().flatMap(({ traceId, name }) => (traceId === TRACE ? [name] : [])))
      .toEqual(expect.arrayContaining(['admit-attempt', 'claim-code', 'transaction']));
    expect(JSON.stringify(received)).not.toContain(codes[0]);
    expect(received[0]?.resourceSpans[0]?.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'redemptions' },
    });
  });

  it('traces the share of the requests that is configured where the caller does not decide', async () => {
    const before = spans().length;
    await redeem(api.url, codes[1]);
    // Spans leave in order, so this one is seen only after any of the request before.
    const traceId = TRACE.replace('4b', '5c');
    await redeem(api.url, 'UNKNOWN-CODE', { traceparent: `00-${traceId}-${PARENT}-01` });
    await expect
      .poll(() => spans().some((span) => span.traceId === traceId && span.name === 'POST /graphql'))
      .toBe(true);
    expect(
      spans()
        .slice(before)
        .every((span) => span.traceId === traceId || span.traceId === TRACE),
    ).toBe(true);
  });

  it('redeems while the collector does not answer', async () => {
    const deaf = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const { port } = deaf.address() as AddressInfo;
    deaf.close();
    const alone = await start(port);
    const answer = await redeem(alone.url, codes[2], { traceparent: `00-${TRACE}-${PARENT}-01` });
    expect(answer.data?.redeemCode.status).toBe('COMMITTED');
    await alone.stop();
  });
});
