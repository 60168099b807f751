import { getIntrospectionQuery, graphql, parse, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { Documents } from '../../src/graphql/documents.js';
import { serveFairly } from '../../src/graphql/fair-schema.js';
import { documentLimits } from '../../src/graphql/limits.js';
import { ReadingBudget } from '../../src/graphql/reading-budget.js';
import { SchemaAnswers } from '../../src/graphql/schema-answers.js';
import { WorkShares } from '../../src/graphql/work-shares.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { roundsDuring } from '../support/loop-rounds.js';
import { RawSocket } from '../support/raw-socket.js';
import { newTransportSchema } from '../support/transport-schema.js';
import { startTransport, USER, type TransportServer } from '../support/transport-server.js';

const CALLER = { tenantId: '', id: '10.0.0.1' };
let transport: TransportServer;

beforeAll(async () => {
  transport = await startTransport({ environment: { TRUST_PROXY: 'true' } });
});
afterAll(async () => transport.close());

/** Counts what it is asked to pay for. */
class CountingBudget extends ReadingBudget {
  spent = 0;

  override spend<T>(caller: typeof CALLER, work: () => T): T {
    this.spent += 1;
    return super.spend(caller, work);
  }
}

const context = (userId: string) =>
  ({ actor: { ...USER, userId }, ip: '10.0.0.1' }) as unknown as RequestContext;

describe('reading of documents (X.19)', () => {
  const budget = new CountingBudget();
  const documents = new Documents(newTransportSchema(), documentLimits(loadConfig({})), budget);

  it.each([
    ['a text that can run', '{ echo(text: "x") }'],
    ['a text that does not fit the schema', '{ ecko }'],
    ['a text that is no GraphQL', '{ '],
  ])('parses and judges %s once', (_what, text) => {
    const before = budget.spent;
    const first = documents.read(text, CALLER);
    expect(documents.read(text, CALLER)).toBe(first);
    expect(budget.spent).toBe(before + 1);
  });

  it('lists ten errors of a document and says that there are more', () => {
    const read = documents.read(`{ ${Array.from({ length: 50 }, (_, at) => `f${at}`).join(' ')} }`, CALLER);
    const messages = 'errors' in read ? read.errors.map(({ message }) => message) : [];
    expect(messages).toHaveLength(11);
    expect(messages.at(-1)).toBe(
      'This document has more than 10 errors, and only the first are listed. Correct them, then send it again.',
    );
  });

  it('takes processor time from the caller who spends it, and gives it back with time', () => {
    let nowMs = 0;
    let cpuMs = 0;
    const account = new ReadingBudget(
      () => nowMs,
      () => cpuMs,
    );
    const spend = (ms: number, id = 'a'): void =>
      account.spend({ tenantId: '', id }, () => void (cpuMs += ms));
    spend(600);
    spend(600);
    expect(() => spend(1)).toThrow('whose text was new');
    expect(() => spend(1, 'b')).not.toThrow();
    nowMs += 3000;
    expect(() => spend(1)).not.toThrow();
  });
});

describe('questions about the schema (X.19)', () => {
  const schema = newTransportSchema();
  const ask = (text: string) => {
    const document = parse(text);
    const [operation] = document.definitions;
    return { document, operation: operation as never, variables: {} };
  };

  it('are executed and written once for each text', async () => {
    const budget = new CountingBudget();
    const answers = new SchemaAnswers(schema, budget, new WorkShares(4));
    const text = getIntrospectionQuery();
    const first = await answers.answer(ask(text), CALLER);
    const again = await answers.answer(ask(text), { tenantId: '', id: '10.0.0.2' });
    expect(again).toBe(first);
    expect(budget.spent).toBe(1);
    expect(JSON.parse(answers.stringify({ data: first.data ?? null }))).toEqual({ data: first.data });
  });

  it('get the same answer over HTTP and WebSocket as graphql-js gives', async () => {
    const query = getIntrospectionQuery();
    const expected = JSON.parse(JSON.stringify(await graphql({ schema, source: query }))) as object;
    const http = await graphqlRequest(transport.url, { query });
    expect({ data: http.data }).toEqual(expected);
    const socket = await RawSocket.ready(transport.url);
    socket.subscribe('1', query);
    expect(await socket.next()).toMatchObject({ type: 'next', payload: expected });
  });

  it('refuse variables that do not fit by a 400', async () => {
    const query = 'query ($name: String!) { __type(name: $name) { name } }';
    const answer = await graphqlRequest(transport.url, { query, variables: { name: 5 } });
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect((await graphqlRequest(transport.url, { query, variables: { name: 'Box' } })).data).toEqual({
      __type: { name: 'Box' },
    });
  });
});

describe('a flood of new texts from one address (X.19)', () => {
  it('is told to wait with 429, while texts that were read, and other addresses, go on', async () => {
    const flood = { 'x-forwarded-for': '10.9.9.9' };
    const known = '{ echo(text: "known") }';
    await graphqlRequest(transport.url, { query: known, headers: flood });
    // Fields that are all alike are compared with each other, which makes a text dear.
    const dear = (no: number): string => `query N${no} { ${'box { inner { name } } '.repeat(240)} }`;
    let refused = null;
    for (let no = 0; no < 3000 && refused === null; no += 1) {
      const answer = await graphqlRequest(transport.url, { query: dear(no), headers: flood });
      if (answer.status === 429) refused = answer;
    }
    expect(refused?.errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await graphqlRequest(transport.url, { query: known, headers: flood })).status).toBe(200);
    const other = { 'x-forwarded-for': '10.9.9.8' };
    expect(
      (await graphqlRequest(transport.url, { query: '{ echo(text: "y") }', headers: other })).status,
    ).toBe(200);
  }, 60_000);
});

describe('shares of queries (X.19)', () => {
  const run = async (schema: GraphQLSchema, source: string, userId = '1') =>
    graphql({ schema, source, contextValue: context(userId) });

  it('resolve a list of 500 rows in slices, with the event loop served in between', async () => {
    const schema = serveFairly(newTransportSchema(), new WorkShares(4));
    const { result, rounds } = await roundsDuring(async () =>
      run(schema, '{ boxes(size: 500) { total items { name } } }'),
    );
    const { items } = (result.data ?? {})['boxes'] as { items: { name: string }[] };
    expect(items.map(({ name }) => name)).toEqual(Array.from({ length: 500 }, (_, at) => `box ${at}`));
    expect(rounds).toBeGreaterThanOrEqual(500 / 20);
  });

  it('bound every query of a schema at once for a caller, whoever wrote it, and let another caller pass', async () => {
    const schema = newTransportSchema();
    let running = 0;
    let most = 0;
    const field = schema.getQueryType()?.getFields()['slow'];
    const resolve = field?.resolve;
    if (field === undefined || resolve === undefined) throw new Error('The schema has no such query.');
    field.resolve = async (source, args, of, info) => {
      running += 1;
      most = Math.max(most, running);
      const result: unknown = await resolve(source, args, of, info);
      running -= 1;
      return result;
    };
    serveFairly(schema, new WorkShares(4));
    const asked = Array.from({ length: 6 }, async () => run(schema, '{ a: slow b: slow }'));
    let isEarly = true;
    const all = Promise.all(asked).then((results) => {
      isEarly = false;
      return results;
    });
    expect((await run(schema, '{ slow }', '2')).errors).toBeUndefined();
    expect(isEarly).toBe(true);
    expect((await all).every(({ errors }) => errors === undefined)).toBe(true);
    // One of each caller.
    expect(most).toBe(2);
  });

  it('refuse the hundred-and-second query of a caller that waits, and lose none of the others', async () => {
    const schema = serveFairly(newTransportSchema(), new WorkShares(4));
    const asked = Array.from({ length: 103 }, async () => run(schema, '{ boxes(size: 1) { total } }'));
    const codes = (await Promise.all(asked)).map(({ errors }) => errors?.[0]?.extensions['code'] ?? 'OK');
    expect(Map.groupBy(codes, (code) => code).get('RATE_LIMITED')).toHaveLength(2);
    expect(codes.filter((code) => code === 'OK')).toHaveLength(101);
  });

  it('refuse a page behind a million rows, and a size that would pass them', async () => {
    const schema = serveFairly(newTransportSchema(), new WorkShares(4));
    const codeOf = async (args: string) =>
      (await run(schema, `{ boxes(${args}) { total } }`)).errors?.[0]?.extensions['code'] ?? 'OK';
    expect(await codeOf('page: 2001, size: 500')).toBe('OK');
    expect(await codeOf('page: 2002, size: 500')).toBe('PAGE_TOO_DEEP');
    expect(await codeOf('page: 2147483647')).toBe('PAGE_TOO_DEEP');
  });
});
