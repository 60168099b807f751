import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import { SECRET_OF_FAULT } from '../support/transport-schema.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

let transport: TransportServer;

beforeAll(async () => {
  transport = await startTransport({ environment: { NODE_ENV: 'production' } });
});
afterAll(async () => transport?.close());

async function overHttp(query: string, variables?: Record<string, unknown>): Promise<unknown> {
  const answer = await graphqlRequest(transport.url, {
    query,
    ...(variables === undefined ? {} : { variables }),
  });
  return answer.errors;
}

async function overSocket(query: string, variables?: Record<string, unknown>): Promise<unknown> {
  const call = { query, ...(variables === undefined ? {} : { variables }) };
  const stream = await graphqlSubscribe(transport.url, call);
  const event = await stream.next();
  await stream.close();
  return event?.errors;
}

function linesOf(requestId: unknown): Record<string, unknown>[] {
  return transport.logged.filter((line) => line['requestId'] === requestId);
}

describe.each([
  ['HTTP', overHttp],
  ['WebSocket', overSocket],
])('errors over %s', (_name, ask) => {
  it.each(['fault', 'escapedRefusal', 'wrongDecimal'])(
    'gives away nothing of the fault in %s but an id, under which the log has all of it once',
    async (field) => {
      const errors = (await ask(`{ ${field} }`)) as { extensions: { requestId: string } }[];
      expect(errors).toEqual([
        {
          message: 'Internal server error.',
          path: [field],
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) as string },
        },
      ]);
      const lines = linesOf(errors[0]?.extensions.requestId);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({
        level: 50,
        err: { stack: expect.stringContaining('.ts:') as string },
      });
    },
  );

  it('calls a store that is away SERVICE_UNAVAILABLE, which a client may try again', async () => {
    const errors = (await ask('{ storeAway }')) as { extensions: { code: string; requestId: string } }[];
    expect(errors).toHaveLength(1);
    expect(errors[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
    expect(JSON.stringify(errors)).not.toContain(SECRET_OF_FAULT);
    expect(linesOf(errors[0]?.extensions.requestId)).toHaveLength(1);
  });

  it('calls a wait that was too long SERVICE_UNAVAILABLE, and says when to try again', async () => {
    expect(await ask('{ busy }')).toMatchObject([
      {
        message: expect.stringContaining('has waited 7 s') as string,
        path: ['busy'],
        extensions: { code: 'SERVICE_UNAVAILABLE', retryAfterMs: 7000 },
      },
    ]);
  });

  it('answers BAD_USER_INPUT to a variable that does not fit, without proposing another value', async () => {
    const errors = await ask('query ($s: Size!) { sized(size: $s) }', { s: 'SMALLL' });
    expect(errors).toMatchObject([
      {
        message: 'Variable "$s" got invalid value "SMALLL"; Value "SMALLL" does not exist in "Size" enum.',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  it('keeps the code and message of an error that was meant for the caller', async () => {
    expect(await ask('{ userOnly }')).toMatchObject([
      {
        message: expect.stringContaining('Sign in first') as string,
        extensions: { code: 'UNAUTHENTICATED' },
      },
    ]);
  });

  it('never sends a stack', async () => {
    const queries = [
      '{',
      '{ nothing }',
      '{ fault }',
      '{ userOnly }',
      'query A { __typename } query B { __typename }',
    ];
    for (const query of queries) {
      const text = JSON.stringify(await ask(query));
      expect(text).not.toMatch(/stacktrace|\.ts:|node_modules/);
    }
  });
});

describe('errors of a subscription', () => {
  it('are masked while it runs as well, and end nothing but the event', async () => {
    const stream = await graphqlSubscribe(transport.url, { query: 'subscription { counted(to: -2) }' });
    const masked = {
      data: null,
      errors: [{ message: 'Internal server error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    };
    expect(await stream.next()).toMatchObject(masked);
    expect(await stream.next()).toMatchObject(masked);
    expect(await stream.next()).toBeNull();
    await stream.close();
  });
});

describe('a subscription that finds no place (X.19)', () => {
  it('is refused with RATE_LIMITED where its caller has too much waiting, not with a fault', async () => {
    expect(await overSocket('subscription { neverBegun }')).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterMs: 7000 } },
    ]);
  });

  it('ends with SERVICE_UNAVAILABLE where its next page has waited for too long, not with a fault', async () => {
    const logged = transport.logged.length;
    const stream = await graphqlSubscribe(transport.url, { query: 'subscription { brokenOff }' });
    expect(await stream.next()).toEqual({ data: { brokenOff: 1 } });
    const end = await stream.next();
    await stream.close();
    expect(end?.errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE', retryAfterMs: 7000 } }]);
    expect(transport.logged.slice(logged).filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
