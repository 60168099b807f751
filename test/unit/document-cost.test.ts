import 'reflect-metadata';
import {
  getNamedType,
  getOperationAST,
  isLeafType,
  isObjectType,
  parse,
  type GraphQLField,
  type GraphQLObjectType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { costEstimator, DocumentCost } from '../../src/transport/document-cost.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';

const schema = buildRedeemkitSchema();
const limit = loadConfig({}).GRAPHQL_MAX_COST;
const estimator = costEstimator(schema);
/** How deep a client follows objects of a row. */
const DEPTH = 4;

function costOf(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('There is no operation.');
  return new DocumentCost(schema, document, estimator).of(operation, variables);
}

/** Every field of a type that needs no arguments, objects within it included. */
function everythingOf(type: GraphQLObjectType, depth = DEPTH): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const of = getNamedType(field.type);
    if (isLeafType(of)) return [field.name];
    return isObjectType(of) && depth > 0 ? [`${field.name} ${everythingOf(of, depth - 1)}`] : [];
  });
  return `{ ${fields.join(' ')} }`;
}

const lists = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(({ args }) =>
  args.some(({ name }) => name === 'size'),
);
const pageOf = ({ type }: GraphQLField<unknown, unknown>) => getNamedType(type) as GraphQLObjectType;

describe('the cost of an operation', () => {
  it.each(lists.map((list) => [list.name, list] as const))(
    'lets a page of 500 of %s pass with every field it has, and not fifteen of them with as little as can be asked',
    (name, list) => {
      expect(costOf(`{ ${name}(size: 500) ${everythingOf(pageOf(list))} }`)).toBeLessThanOrEqual(limit);
      const fifteen = Array.from({ length: 15 }, (_, at) => `a${at}: ${name}(size: 500) { total }`);
      expect(costOf(`{ ${fifteen.join(' ')} }`)).toBeGreaterThan(limit);
    },
  );

  it('finds the lists of the schema', () => {
    expect(lists.length).toBeGreaterThanOrEqual(6);
  });

  it('goes by the value of a size, wherever it is written', () => {
    const inVariable = 'query ($n: Int) { orders(size: $n) { total items { id } } }';
    const withDefault = 'query ($n: Int = 500) { orders(size: $n) { total items { id } } }';
    const inText = (size: number) => costOf(`{ orders(size: ${size}) { total items { id } } }`);
    expect(costOf(inVariable, { n: 500 })).toBe(inText(500));
    expect(costOf(withDefault)).toBe(inText(500));
    expect(costOf(withDefault, { n: 100 })).toBe(inText(100));
    // As the page is read: missing, 0 and less are 15, more than 500 is 500.
    expect(costOf(inVariable)).toBe(inText(15));
    expect([inText(0), inText(-5), inText(9999)]).toEqual([inText(15), inText(15), inText(500)]);
  });

  it('is worked out once for each value of a size, and by no other variable', () => {
    const document = parse(
      'query ($n: Int, $filter: CodeFilterInput) { codes(size: $n, filter: $filter) { total } }',
    );
    let asked = 0;
    const cost = new DocumentCost(schema, document, (args) => {
      asked += 1;
      return estimator(args);
    });
    const operation = getOperationAST(document);
    if (!operation) throw new Error('There is no operation.');
    const first = cost.of(operation, { n: 500, filter: { part: 'A' } });
    const once = asked;
    expect(cost.of(operation, { n: 500, filter: { part: 'B' } })).toBe(first);
    expect(asked).toBe(once);
    expect(cost.of(operation, { n: 100, filter: { part: 'B' } })).toBeLessThan(first);
    expect(asked).toBeGreaterThan(once);
  });

  it('counts what is selected by a condition, and not what is left out', () => {
    const text = 'query ($all: Boolean!) { orders(size: 500) { total items @include(if: $all) { id } } }';
    expect(costOf(text, { all: true })).toBeGreaterThan(costOf(text, { all: false }));
  });

  it('leaves variables that do not fit to the execution, which names each of them', () => {
    expect(costOf('query ($n: Int!) { orders(size: $n) { total } }', { n: 'many' })).toBe(0);
  });

  it('refuses arguments that cannot be read rather than take them for cheap', () => {
    const text = 'query ($id: ID) { a: orders(size: 500) { total } order(orderNo: $id) { id } }';
    expect(() => costOf(text, { id: null })).toThrow('non-null type');
  });

  it('ends for documents that spread fragments repeatedly', () => {
    const fragments = Array.from(
      { length: 20 },
      (_, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`,
    );
    const text = `{ ...F0 } ${fragments.join(' ')} fragment F20 on Query { __typename }`;
    expect(() => costOf(text)).toThrow('maximum allowed number of nodes');
  });
});
