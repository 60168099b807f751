import { setTimeout as pause } from 'node:timers/promises';
import { getIntrospectionQuery, graphql, parse, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/config.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { Documents } from '../../src/transport/documents.js';
import { UNSHARED } from '../../src/graphql/field-marks.js';
import { serveFairly } from '../../src/transport/fair-schema.js';
import { documentLimits } from '../../src/transport/limits.js';
import { ReadingBudget } from '../../src/transport/reading-budget.js';
import { SchemaAnswers } from '../../src/transport/schema-answers.js';
import { WorkShares } from '../../src/transport/work-shares.js';
import { busyAnswer, callerOf } from '../../src/transport/caller.js';
import { BusyError } from '../../src/platform/scheduling/fair-gate.js';
import type { Caller } from '../../src/platform/scheduling/fair-queue.js';
import type { Actor } from '../../src/graphql/actor.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { roundsDuring } from '../support/loop-rounds.js';
import { RawSocket, type Frame } from '../support/raw-socket.js';
import { newTransportSchema } from '../support/transport-schema.js';
import { PLACES, startTransport, USER, type TransportServer } from '../support/transport-server.js';

const CALLER: Caller = { tenantId: '', kind: 'ADDRESS', id: '10.0.0.1' };
let transport: TransportServer;

beforeAll(async () => {
  transport = await startTransport({ environment: { TRUST_PROXY: 'true' } });
});
afterAll(async () => transport?.close());

/** Counts what it is asked to pay for. */
class CountingBudget extends ReadingBudget {
  spent = 0;

  override spend<T>(caller: Caller, work: () => T): T {
    this.spent += 1;
    return super.spend(caller, work);
  }
}

/** Counts the refusals that ask for a turn. */
class CountingShares extends WorkShares {
  refused = 0;

  override async refusing(caller: Caller): Promise<void> {
    this.refused += 1;
    return super.refusing(caller);
  }
}

/** Gives refusals no turn until the test allows it. */
class HeldShares extends CountingShares {
  private readonly held = Promise.withResolvers<void>();
  readonly release = this.held.resolve;

  constructor(places: typeof PLACES) {
    super(places);
    const { next } = this.turns;
    this.turns.next = async (caller) => {
      await this.held.promise;
      return next.call(this.turns, caller);
    };
  }
}

const frameCode = ({ payload }: Frame): unknown =>
  (payload as { extensions: { code: string } }[])[0]?.extensions.code;

const STAFF: Actor = { kind: 'STAFF', tenantId: USER.tenantId, staffId: 'backend', role: 'OPERATOR' };
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
    const spend = (ms: number, id = 'a'): void => account.spend({ ...CALLER, id }, () => void (cpuMs += ms));
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
    const answers = new SchemaAnswers(schema, budget, new WorkShares(PLACES));
    const text = getIntrospectionQuery();
    const first = await answers.answer(ask(text), CALLER);
    const again = await answers.answer(ask(text), { ...CALLER, id: '10.0.0.2' });
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
  it('is refused with 429, while known texts and other addresses are served', async () => {
    const flood = { 'x-forwarded-for': '10.9.9.9' };
    const ask = async (query: string, headers = flood) => graphqlRequest(transport.url, { query, headers });
    const known = '{ echo(text: "known") }';
    let answer = await ask(known);
    // Fields that are all alike are compared with each other, which makes a text dear.
    const dear = (no: number): string => `query N${no} { ${'box { inner { name } } '.repeat(240)} }`;
    // Processor time comes back with time, and a busy machine gives this process less of it than that.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    for (let no = 0; no < 3000 && answer.status !== 429; no += 1) answer = await ask(dear(no));
    clock.mockRestore();
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await ask(known)).status).toBe(200);
    const other = { 'x-forwarded-for': '10.9.9.8' };
    expect((await ask('{ echo(text: "y") }', other)).status).toBe(200);
  });
});

describe('a caller without a token (X.19)', () => {
  const idAt = (ip: string): string => callerOf({ actor: null, ip }).id;

  it('is one caller from all addresses of its IPv6 network', () => {
    const ids = Array.from({ length: 100 }, (_, no) => idAt(`2001:db8:1:2:${no}::1`));
    expect(new Set(ids)).toEqual(new Set(['2001:db8:1:2']));
    expect(idAt('2001:db8:1:3::1')).not.toBe(ids[0]);
    expect(idAt('::ffff:192.0.2.1')).toBe(idAt('192.0.2.1'));
    expect(idAt('192.0.2.2')).not.toBe(idAt('192.0.2.1'));
  });
});

describe('a flood of operations that are refused (X.19)', () => {
  it.each([
    ['that do not fit the schema', '{ ecko }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'that cost too much',
      `{ ${Array.from({ length: 15 }, (_, at) => `b${at}: boxes(size: 500) { total items { name } }`).join(' ')} }`,
      'QUERY_TOO_COSTLY',
    ],
  ])('%s is answered at a pace while redemptions are under way', async (_what, query, code) => {
    const shares = new WorkShares(PLACES);
    const { url, close } = await startTransport({ shares });
    await graphqlRequest(url, { query });
    const redeemed = Promise.withResolvers<void>();
    const redemption = shares.urgently(CALLER, async () => redeemed.promise);
    const startMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 30 }, async () => graphqlRequest(url, { query })));
    const tookMs = performance.now() - startMs;
    redeemed.resolve();
    await redemption;
    await close();
    expect(answers.filter(({ errors }) => errors?.[0]?.extensions.code === code)).toHaveLength(30);
    expect(tookMs).toBeGreaterThanOrEqual(29 * 4 - 4);
  });

  it('that name no operation of their text takes its turns as well', async () => {
    const shares = new CountingShares(PLACES);
    const { url, close } = await startTransport({ shares });
    const query = 'query A { echo(text: "x") } query B { echo(text: "y") }';
    const { errors } = await graphqlRequest(url, { query });
    await graphqlRequest(url, { query: '{ echo(text: "x") }' });
    await close();
    expect([errors?.[0]?.extensions.code, shares.refused]).toEqual(['OPERATION_RESOLUTION_FAILURE', 1]);
  });

  it('holds a hundred of a caller and refuses more at once, over HTTP and WebSocket', async () => {
    const shares = new HeldShares(PLACES);
    const environment = { WS_MAX_OPERATIONS: '200' };
    const { url, close } = await startTransport({ shares, environment });
    const socket = await RawSocket.ready(url);
    const held = Array.from({ length: 81 }, async () => graphqlRequest(url, { query: '{ ecko }' }));
    await expect.poll(() => shares.refused).toBe(81);
    for (let no = 0; no < 30; no += 1) socket.subscribe(String(no), '{ ecko }');
    const codes: unknown[] = [];
    for (let no = 0; no < 10; no += 1) codes.push(frameCode(await socket.next()));
    expect(codes).toEqual(Array(10).fill('RATE_LIMITED'));
    const late = await graphqlRequest(url, { query: '{ ecko }' });
    expect([late.status, late.errors?.[0]?.extensions.code]).toEqual([429, 'RATE_LIMITED']);
    shares.release();
    const answers = await Promise.all(held);
    expect(answers.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(
      Array(81).fill('GRAPHQL_VALIDATION_FAILED'),
    );
    for (let no = 0; no < 20; no += 1) {
      expect(frameCode(await socket.next())).toBe('GRAPHQL_VALIDATION_FAILED');
    }
    await socket.close();
    await close();
  });

  it.each([
    ['does not fit the schema', '{ ecko }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'names no operation',
      'query A { echo(text: "x") } query B { echo(text: "y") }',
      'OPERATION_RESOLUTION_FAILURE',
    ],
  ])('over WebSocket takes a turn for each that %s', async (_what, query, code) => {
    const shares = new CountingShares(PLACES);
    const { url, close } = await startTransport({ shares });
    const socket = await RawSocket.ready(url);
    for (let no = 0; no < 5; no += 1) {
      socket.subscribe(String(no), query);
      expect(frameCode(await socket.next())).toBe(code);
    }
    socket.subscribe('x', '{ echo(text: "x") }');
    await socket.next();
    expect(shares.refused).toBe(5);
    await socket.close();
    await close();
  });
});

describe('shares of queries (X.19)', () => {
  const run = async (schema: GraphQLSchema, source: string, userId = '1') =>
    graphql({ schema, source, contextValue: context(userId) });

  it('resolve a list of 500 rows in slices, with the event loop served in between', async () => {
    const schema = serveFairly(newTransportSchema(), new WorkShares(PLACES));
    const { result, rounds } = await roundsDuring(async () =>
      run(schema, '{ boxes(size: 500) { total items { name } } }'),
    );
    const { items } = (result.data ?? {})['boxes'] as { items: { name: string }[] };
    expect(items.map(({ name }) => name)).toEqual(Array.from({ length: 500 }, (_, at) => `box ${at}`));
    expect(rounds).toBeGreaterThanOrEqual(500 / 20);
  });

  /** Counts how many of a query run at once, each for some milliseconds or until the work is done. */
  function watched(schema: GraphQLSchema, name: 'Query' | 'Mutation', fieldName: string, work: unknown) {
    const type = name === 'Query' ? schema.getQueryType() : schema.getMutationType();
    const field = type?.getFields()[fieldName];
    if (field === undefined) throw new Error('The schema has no such field.');
    const seen = { running: 0, most: 0 };
    field.resolve = async () => {
      seen.running += 1;
      seen.most = Math.max(seen.most, seen.running);
      await (typeof work === 'number' ? pause(work) : work);
      seen.running -= 1;
      return 1;
    };
    return seen;
  }

  it('bound every query of a schema sent at once by a caller, and let another caller pass', async () => {
    const schema = newTransportSchema();
    const seen = watched(schema, 'Query', 'slow', 50);
    serveFairly(schema, new WorkShares(PLACES));
    const asked = Array.from({ length: 12 }, async () => run(schema, '{ a: slow b: slow }'));
    let isEarly = true;
    const all = Promise.all(asked).then((results) => {
      isEarly = false;
      return results;
    });
    expect((await run(schema, '{ slow }', '2')).errors).toBeUndefined();
    expect(isEarly).toBe(true);
    expect((await all).every(({ errors }) => errors === undefined)).toBe(true);
    // Three of six for the caller alone, and one more for the other.
    expect(seen.most).toBe(4);
  });

  it('give a caller one query at a time while redemptions are under way, and no place to wait behind it', async () => {
    const schema = newTransportSchema();
    const seen = watched(schema, 'Query', 'slow', 10);
    Object.assign(schema.getMutationType()?.getFields()['touch'] ?? {}, { extensions: UNSHARED });
    const isCommitted = Promise.withResolvers<void>();
    const redeemed = watched(schema, 'Mutation', 'touch', isCommitted.promise);
    serveFairly(schema, new WorkShares(PLACES));
    const redemptions = Array.from({ length: 20 }, async (_, no) =>
      run(schema, 'mutation { touch }', String(no)),
    );
    const lists = Array.from({ length: 10 }, async () => run(schema, '{ slow }'));
    await Promise.all(lists);
    isCommitted.resolve();
    await Promise.all(redemptions);
    expect([redeemed.most, seen.most]).toEqual([20, 1]);
  });

  it.each([
    ['without a token', null],
    ['of staff', STAFF],
  ])('are not held back by redemptions of callers %s, who are refused', async (_whose, actor) => {
    const schema = newTransportSchema();
    Object.assign(schema.getMutationType()?.getFields()['touch'] ?? {}, { extensions: UNSHARED });
    const refused = watched(schema, 'Mutation', 'touch', 200);
    const seen = watched(schema, 'Query', 'slow', 10);
    serveFairly(schema, new WorkShares(PLACES));
    const contextValue = { actor, ip: '10.0.0.1' } as unknown as RequestContext;
    const floods = Array.from({ length: 20 }, async () =>
      graphql({ schema, source: 'mutation { touch }', contextValue }),
    );
    await Promise.all(Array.from({ length: 10 }, async () => run(schema, '{ slow }')));
    // Three of six queries, as for a single caller; and five of eight changes.
    expect([refused.most, seen.most]).toEqual([5, 3]);
    await Promise.all(floods);
  });

  it('run 500 changes that a backend sends at once, and give its tenant places for others', async () => {
    const schema = newTransportSchema();
    const seen = watched(schema, 'Mutation', 'touch', 1);
    serveFairly(schema, new WorkShares(PLACES));
    const contextValue = { actor: STAFF, ip: '10.0.0.1' } as unknown as RequestContext;
    const asked = Array.from({ length: 500 }, async () =>
      graphql({ schema, source: 'mutation { touch }', contextValue }),
    );
    const ofUser = await run(schema, 'mutation { touch }');
    expect(ofUser.errors).toBeUndefined();
    expect((await Promise.all(asked)).filter(({ errors }) => errors === undefined)).toHaveLength(500);
    expect(seen.most).toBe(6);
  });

  it('refuse the hundred-and-fourth query of a user that waits, say why, and lose none of the others', async () => {
    const schema = serveFairly(newTransportSchema(), new WorkShares(PLACES));
    const asked = Array.from({ length: 105 }, async () => run(schema, '{ boxes(size: 1) { total } }'));
    const errors = (await Promise.all(asked)).map((result) => result.errors?.[0]);
    const refused = errors.filter((error) => error !== undefined);
    expect(refused).toHaveLength(2);
    for (const { message, extensions } of refused) {
      expect(extensions['code']).toBe('RATE_LIMITED');
      expect(message).toBe(
        'You have 100 requests waiting already. Wait for their answers, then send this one again.',
      );
    }
  });

  it.each([
    ['CALLER', 'RATE_LIMITED', 429, 'You have 7000 requests waiting'],
    ['TENANT', 'RATE_LIMITED', 429, 'The users and staff of your tenant have 7000 requests waiting'],
    ['ALL', 'SERVICE_UNAVAILABLE', 503, 'The server has 7000 requests waiting'],
    ['TIME', 'SERVICE_UNAVAILABLE', 503, 'This request has waited 7 s'],
  ] as const)('tell what was exceeded: %s by %s', (bound, code, status, message) => {
    const { extensions, message: said } = busyAnswer(new BusyError(bound, 7000, 1500));
    expect(said).toContain(message);
    expect(extensions).toMatchObject({ code, retryAfterMs: 1500, http: { status } });
    expect((extensions['http'] as { headers: Map<string, string> }).headers.get('retry-after')).toBe('2');
  });

  it('refuse a page behind a million rows, and a size that would pass them', async () => {
    const schema = serveFairly(newTransportSchema(), new WorkShares(PLACES));
    const codeOf = async (args: string) =>
      (await run(schema, `{ boxes(${args}) { total } }`)).errors?.[0]?.extensions['code'] ?? 'OK';
    expect(await codeOf('page: 2001, size: 500')).toBe('OK');
    expect(await codeOf('page: 2002, size: 500')).toBe('PAGE_TOO_DEEP');
    expect(await codeOf('page: 2147483647')).toBe('PAGE_TOO_DEEP');
  });
});
