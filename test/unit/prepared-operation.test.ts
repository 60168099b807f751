import 'reflect-metadata';
import * as fc from 'fast-check';
import {
  buildSchema,
  execute,
  getOperationAST,
  GraphQLError,
  parse,
  validate,
  type ExecutionResult,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { DecimalScalar, InstantScalar } from '../../src/graphql/scalars.js';
import { present } from '../../src/platform/assert.js';
import { serveFairly } from '../../src/transport/fair-schema.js';
import { PreparedOperation } from '../../src/transport/prepared-operation.js';
import { WorkShares } from '../../src/transport/work-shares.js';
import { emptyPayload } from '../bench/empty-payload.js';

const SDL = `
  scalar DateTime
  scalar Decimal
  enum Size { SMALL LARGE }
  interface Named { name: String }
  input Where { size: Size = SMALL, numbers: [Int!]! = [1], at: DateTime, deep: Where }
  type Item implements Named {
    name: String id: ID! size: Size count: Int! ratio: Float ok: Boolean at: DateTime! value: Decimal
    item: Item must: Item! items: [Item!] all: [Item]! texts: [String]! matrix: [[Int!]!]
    named: Named slow: String
  }
  type Query { item(where: Where, n: Int! = 3, text: String): Item must(n: Int!): Item! items: [Item!]! text: String }
  type Mutation { change(where: Where!): Item again: Item }`;
const CONTEXT = { actor: null, ip: '192.0.2.1' } as unknown as RequestContext;

/** A schema whose root fields answer what `answer` makes, and what they were called with. */
function serving(answer: () => unknown): { schema: GraphQLSchema; calls: unknown[] } {
  const schema = buildSchema(SDL);
  const calls: unknown[] = [];
  for (const { name, serialize, parseValue, parseLiteral } of [DecimalScalar, InstantScalar]) {
    Object.assign(present(schema.getType(name), name), { serialize, parseValue, parseLiteral });
  }
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      field.resolve = async (_source, args: unknown, _context, { path: { key } }) => {
        calls.push([key, args]);
        return answer();
      };
    }
  }
  const { slow } = (schema.getType('Item') as GraphQLObjectType).getFields();
  present(slow, 'The field').resolve = async () => 'resolved';
  return { schema: serveFairly(schema, new WorkShares({ reads: 6, writes: 8 })), calls };
}

interface Request {
  readonly text: string;
  readonly variables?: Record<string, unknown>;
  readonly answer: () => unknown;
}

/** The reply, with what the log and the form of errors go by. */
function shown({ data, errors }: ExecutionResult): unknown {
  const facts = errors?.map((error) => ({
    ...error.toJSON(),
    nodes: error.nodes?.map(({ kind, loc }) => [kind, loc?.start]),
    cause: String(error.originalError),
    wasLocated: error.originalError instanceof GraphQLError,
  }));
  return JSON.parse(JSON.stringify({ data, errors: facts })) as unknown;
}

async function byGraphqlJs({ text, variables = {}, answer }: Request) {
  const { schema, calls } = serving(answer);
  const result = await execute({
    schema,
    document: parse(text),
    contextValue: CONTEXT,
    variableValues: variables,
  });
  return { reply: shown(result), calls };
}

async function prepared({ text, variables = {}, answer }: Request) {
  const { schema, calls } = serving(answer);
  const document = parse(text);
  const operation = new PreparedOperation(
    schema,
    document,
    present(getOperationAST(document), 'The operation'),
  );
  const result = await operation.execute(variables, CONTEXT);
  // graphql-js makes objects without a prototype.
  const isPlain = result.data ? Object.getPrototypeOf(result.data) === Object.prototype : false;
  return { reply: shown(result), calls, isPlain };
}

const ITEM = () => ({
  name: 'n',
  id: 7,
  size: 'LARGE',
  count: 2,
  ratio: 0.5,
  ok: true,
  at: new Date(0),
  value: '12.50',
  texts: ['a', null],
  matrix: [[1, 2], []],
  item: { name: 'inner', id: 'x', count: 0, at: new Date(1), texts: [] },
  items: [{ id: 'first', count: 1, at: new Date(2) }],
  all: [null, { id: 'second', count: 1, at: new Date(3) }],
});
const LEAVES = '{ name id size count ratio ok at value texts matrix }';

describe('X.23 a reply that is plain is read off as graphql-js would complete it:', () => {
  it.each<[string, string, Record<string, unknown>?]>([
    ['leaves of every kind', `{ item ${LEAVES} }`],
    ['objects and lists within it', '{ item { item { name id } items { id at } all { id count } } }'],
    ['aliases', '{ a: item { b: name c: name item { d: id } } }'],
    ['fields selected twice', '{ item { item { id } } item { name item { name } } }'],
    [
      'fragments',
      '{ item { ...F ... on Named { name } ... { ok } } } fragment F on Item { id item { name } }',
    ],
    ['__typename', '{ item { __typename item { is: __typename } } }'],
    ['defaults of arguments and inputs', '{ item(where: {numbers: [5]}) { id } }'],
    ['a variable', 'query ($n: Int!) { item(n: $n) { id } }', { n: 5 }],
    ['a variable that is left out', 'query ($n: Int = 4, $t: String) { item(n: $n, text: $t) { id } }'],
    ['a variable that is null', 'query ($t: String) { item(text: $t) { id } }', { t: null }],
    [
      'a variable within an input',
      'query ($s: Size, $d: DateTime) { item(where: {size: $s, at: $d}) { id } }',
      { d: '2026-01-01T00:00:00Z' },
    ],
    [
      'a recursive input',
      'mutation ($w: Where!) { change(where: $w) { id } }',
      { w: { deep: { deep: { size: 'LARGE' } } } },
    ],
    ['an argument as text that is code elsewhere', '{ item(text: "\\"); throw 1; //${1}") { id } }'],
  ])('%s', async (_name, text, variables = {}) => {
    const { isPlain, ...own } = await prepared({ text, variables, answer: ITEM });
    expect(own).toEqual(await byGraphqlJs({ text, variables, answer: ITEM }));
    expect(isPlain).toBe(true);
  });

  it('all that a client can ask of a redemption, in the schema of the product', async () => {
    const schema = buildRedeemkitSchema();
    const redeem = present(schema.getMutationType()?.getFields()['redeemCode'], 'The mutation');
    redeem.resolve = async () => emptyPayload('42', 'APP');
    const document = parse(`mutation ($input: RedeemCodeInput!) { redeemCode(input: $input) { status orderNo
      redemption { id status codeId campaignId userId useNo productCode claimedAt settledAt
        rewards { type status sourceId targetId value } }
      errors { code message field retryAfterMs } } }`);
    const operation = present(getOperationAST(document), 'The operation');
    const variables = { input: { code: 'X' } };
    const expected = await execute({ schema, document, contextValue: CONTEXT, variableValues: variables });
    const { data } = await new PreparedOperation(schema, document, operation).execute(variables, CONTEXT);
    expect(JSON.stringify(data)).toBe(JSON.stringify(expected.data));
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  });

  it('null where nothing was found', async () => {
    const request = { text: `{ item ${LEAVES} }`, answer: () => null };
    expect(await prepared(request)).toMatchObject({ reply: { data: { item: null } }, isPlain: true });
  });
});

describe('X.23 graphql-js completes, after one call of the resolver,', () => {
  const thrown = new GraphQLError('No.', { extensions: { code: 'FORBIDDEN' } });
  it.each<[string, string, () => unknown]>([
    [
      'an error that the resolver throws',
      '{ item { id } }',
      () => {
        throw new Error('secret');
      },
    ],
    [
      'a refusal that it throws',
      '{ must(n: 1) { id } }',
      () => {
        throw thrown;
      },
    ],
    ['an error that it returns', '{ item { id } }', () => new Error('secret')],
    ['null where there must be an item', '{ must(n: 1) { id } }', () => null],
    ['null in a field that must not be', '{ item { name item { id } } }', () => ({ ...ITEM(), item: {} })],
    ['null in an item of a list', '{ item { items { id count } } }', () => ({ items: [{ id: 1 }, null] })],
    [
      'errors at several places',
      '{ item { items { id } all { id at } size } }',
      () => ({ ...ITEM(), size: 1, all: [{}, { id: {} }], items: [{ id: {} }] }),
    ],
    ['an enum of another value', '{ item { size name } }', () => ({ size: 'HUGE', name: 'n' })],
    [
      'a date that is none',
      '{ item { name item { at } } }',
      () => ({ name: 'n', item: { at: new Date(NaN) } }),
    ],
    ['a decimal that is none', '{ item { value } }', () => ({ value: {} })],
    ['a number that is too large', '{ item { name count } }', () => ({ name: 'n', count: 2 ** 40 })],
    ['a property that is a promise', '{ item { name } }', () => ({ name: Promise.resolve('later') })],
    [
      'a property that is a function',
      '{ item { item { name } } }',
      () => ({ item: { name: () => 'called' } }),
    ],
    ['a property that is an error', '{ item { item { name } } }', () => ({ item: new Error('secret') })],
    [
      'a getter that throws',
      '{ item { name } }',
      () => ({
        get name() {
          throw new Error('secret');
        },
      }),
    ],
    [
      'an iterable that is no array',
      '{ item { texts } }',
      () => ({ texts: new Set(['a']), id: 1, count: 1, at: new Date(0) }),
    ],
    [
      'promises in a list',
      '{ item { items { id } } }',
      () => ({ items: [Promise.resolve({ id: 1 }), Promise.resolve({})] }),
    ],
    [
      'a list of more rows than one slice',
      '{ item { items { id } } }',
      () => ({ items: Array.from({ length: 50 }, (_, id) => ({ id })) }),
    ],
  ])('%s', async (_name, text, answer) => {
    const { isPlain, ...own } = await prepared({ text, answer });
    expect(own).toEqual(await byGraphqlJs({ text, answer }));
    expect(own.calls).toHaveLength(1);
    expect(isPlain).toBe(false);
  });

  it.each([
    ['a field with a resolver of its own', '{ item { slow } }'],
    ['an abstract type', '{ item { named { name } } }'],
    ['@skip', '{ item { name @skip(if: true) id } }'],
    ['@include', '{ item { ... @include(if: false) { name } id } }'],
    ['a fragment that is spread twice', '{ item { ...F item { ...F } } } fragment F on Item { id }'],
    ['a name that is no property', '{ item { __proto__: name id } }'],
  ])('%s', async (_name, text) => {
    const { isPlain, ...own } = await prepared({ text, answer: ITEM });
    expect(own).toEqual(await byGraphqlJs({ text, answer: ITEM }));
    expect(own.calls).toHaveLength(1);
    expect(isPlain).toBe(false);
  });

  it.each([
    ['several root fields', '{ a: item { id } b: item { id } }'],
    ['several mutations', 'mutation { a: again { id } b: again { id } }'],
  ])('%s', async (_name, text) => {
    const { isPlain, ...own } = await prepared({ text, answer: ITEM });
    expect(own).toEqual(await byGraphqlJs({ text, answer: ITEM }));
    expect(own.calls).toHaveLength(2);
    expect(isPlain).toBe(false);
  });
});

describe('X.23 nothing is called for', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['a variable of a wrong type', 'query ($n: Int!) { item(n: $n) { id } }', { n: '5' }],
    ['a variable that is missing', 'query ($n: Int!) { item(n: $n) { id } }', {}],
    [
      'an input that is wrong inside',
      'mutation ($w: Where!) { change(where: $w) { id } }',
      { w: { deep: { numbers: ['x', 1, null], at: 'never', other: 1 } } },
    ],
    ['null for a default that must not be null', 'query ($n: Int = 4) { item(n: $n) { id } }', { n: null }],
  ])('%s, and graphql-js says why', async (_name, text, variables) => {
    const { reply, calls } = await prepared({ text, variables, answer: ITEM });
    expect({ reply, calls }).toEqual(await byGraphqlJs({ text, variables, answer: ITEM }));
    expect(calls).toEqual([]);
  });
});

/**
 * Makes values of every kind, most of them wrong for the field that they are in. None is a promise: graphql-js leaves
 * rejections unhandled where an item of a list waits and its neighbour fails at once.
 */
const recipes = fc.letrec<{ value: () => unknown; item: () => unknown }>((tie) => ({
  value: fc.oneof(
    fc.constantFrom<() => unknown>(
      () => 'text',
      () => 1,
      () => '12.5',
      () => 'SMALL',
      () => true,
      () => null,
      () => undefined,
      () => new Date(0),
      () => NaN,
      () => new Error('secret'),
      () => () => 'called',
      () => [],
    ),
    fc.array(tie('item'), { maxLength: 3 }).map((items) => () => items.map((item) => item())),
    tie('item'),
  ),
  item: fc
    .dictionary(
      fc.constantFrom(
        'name',
        'count',
        'item',
        'must',
        'items',
        'all',
        'texts',
        'matrix',
        'size',
        'value',
        'at',
      ),
      tie('value'),
      { maxKeys: 6, depthIdentifier: 'item', noNullPrototype: true },
    )
    .map((fields) => () => ({
      id: 1,
      count: 1,
      at: new Date(0),
      ...Object.fromEntries(Object.entries(fields).map(([name, make]) => [name, make()])),
    })),
}));
const selections = fc.letrec<{ set: string }>((tie) => ({
  set: fc
    .array(
      fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(
          'name',
          'id',
          'size',
          'count',
          'at',
          'value',
          'texts',
          'matrix',
          'a: name',
          '__typename',
        ),
        fc
          .tuple(fc.constantFrom('item', 'must', 'items', 'all', 'b: item', '... on Item'), tie('set'))
          .map((parts) => parts.join(' ')),
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((fields) => `{ ${fields.join(' ')} }`),
}));

describe('X.23 whatever a resolver gives', () => {
  it('and whatever is selected of it, the reply is that of graphql-js', { timeout: 60_000 }, async () => {
    const root = fc.constantFrom('query { item', 'query { must(n: 1)', 'mutation { again');
    const { schema } = serving(ITEM);
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(root, selections.set, recipes.item, async (head, set, answer) => {
        const text = `${head} ${set} }`;
        fc.pre(validate(schema, parse(text)).length === 0);
        const { isPlain, ...own } = await prepared({ text, answer });
        plain += Number(isPlain);
        expect(own).toEqual(await byGraphqlJs({ text, answer }));
      }),
      { numRuns: 150 },
    );
    expect(plain).toBeGreaterThan(10);
  });
});
