import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { STAFF } from '../../src/graphql/rule.js';
import { inOrder, replaced, type ApiExample } from '../../scripts/api-docs/examples.js';
import { apiPages } from '../../scripts/api-docs/pages.js';
import { ApiAnswers } from '../support/api-answers.js';

const ID = '385582705278969001';
const OTHER = '385582705278969002';
const NOW_MS = Date.UTC(2026, 5, 1);
const answers = (given = ''): ApiAnswers => new ApiAnswers(given, () => NOW_MS);

const example = (operation: string, more: Partial<ApiExample> = {}): ApiExample => ({
  operation,
  document: `{ ${operation} { id } }`,
  answer: { data: { [operation]: { id: ID } } },
  ...more,
});
const byName = (...examples: readonly ApiExample[]) =>
  new Map(examples.map((each) => [each.operation, each]));

describe('an answer', () => {
  it('is the recorded one with ids, codes and instants of its own', () => {
    const recorded = { id: ID, code: 'AB12CD34', at: '2026-12-01T12:00:00.000Z', token: 'eyJ…', used: 1 };
    const actual = {
      id: OTHER,
      code: 'XY98ZW76',
      at: '2026-06-01T00:00:00.000Z',
      token: 'eyJx.y.z',
      used: 1,
    };
    expect(answers().differences(recorded, actual)).toEqual([]);
  });

  it.each<[string, unknown, unknown]>([
    ['another number', { used: 1 }, { used: 2 }],
    ['another text', { status: 'ACTIVE' }, { status: 'PAUSED' }],
    ['a field that is missing', { id: ID, status: 'ACTIVE' }, { id: ID }],
    ['a field that was not there', { id: ID }, { id: ID, status: 'ACTIVE' }],
    ['null', { id: ID }, { id: null }],
    ['an item more', [1], [1, 1]],
    ['a text for an id', { id: ID }, { id: 'none' }],
    ['another token', { token: 'eyJ…' }, { token: 'rk_live_1' }],
    ['another code of an error', { errors: [{ code: 'CODE_HELD' }] }, { errors: [{ code: 'CODE_EXPIRED' }] }],
  ])('differs by %s', (_name, recorded, actual) => {
    expect(answers().differences(recorded, actual)).toHaveLength(1);
  });

  it('differs where the same id was shown as another one before, or a given instant changed', () => {
    const own = answers('"2030-01-01T00:00:00.000Z"');
    expect(own.differences({ id: ID }, { id: '400000000000000001' })).toEqual([]);
    expect(own.differences({ campaignId: OTHER }, { campaignId: '400000000000000001' })).toHaveLength(1);
    expect(
      own.differences({ at: '2030-01-01T00:00:00.000Z' }, { at: '2031-01-01T00:00:00.000Z' }),
    ).toHaveLength(1);
  });

  it('is recorded without texts by chance, with one sample for each id, and relative to the recording', () => {
    const actual = {
      user: { id: ID, secret: 'c2VjcmV0MTIzNDU2Nzg5MDEyMzQ1' },
      owner: { id: ID },
      expiresAt: '2026-06-02T00:00:00.000Z',
      refreshToken: 'rkr_DEMO.1.abc',
    };
    const recorded = answers().recorded(null, actual) as typeof actual;
    expect(recorded).toMatchObject({
      user: { secret: '…' },
      expiresAt: '2026-12-02T12:00:00.000Z',
      refreshToken: 'rkr_…',
    });
    expect(recorded.user.id).not.toBe(ID);
    expect(recorded.owner.id).toBe(recorded.user.id);
    expect(answers().recorded(recorded, actual)).toEqual(recorded);
  });
});

describe('examples', () => {
  it('come after those whose answers they use, and those that they name', () => {
    const use = example('a', { variables: { id: '$c.item.id' } });
    const named = example('c', { after: ['d'], token: '$demo.ownerToken' });
    const order = inOrder(byName(use, example('b'), named, example('d')));
    expect(order.map(({ operation }) => operation)).toEqual(['d', 'c', 'a', 'b']);
    expect(replaced({ list: ['$c.item.id', 'x'] }, (operation, path) => `${operation}:${path}`)).toEqual({
      list: ['c:item.id', 'x'],
    });
  });

  it('that need each other, or one that is missing, are refused', () => {
    const circle = byName(example('a', { after: ['b'] }), example('b', { after: ['a'] }));
    expect(() => inOrder(circle)).toThrow('The examples need each other: a → b → a.');
    expect(() => inOrder(byName(example('a', { after: ['b'] })))).toThrow('a needs b, which has no example.');
  });
});

describe('the reference', () => {
  const schema = buildSchema('type Query { "Finds it." thing(id: ID!): Thing } type Thing { id: ID! }');
  const features = [{ name: 'identity/things', permissions: { query: { thing: STAFF } } }];

  it('has a page for each feature, with arguments, callers and the example of each operation', () => {
    const sent = example('thing', { variables: { id: '$demo.friendId' } });
    const pages = apiPages(schema, features, byName(sent));
    expect([...pages.keys()]).toEqual(['README.md', 'things.md']);
    for (const part of [
      '## thing\n\nFinds it.\n\n**Query** for staff (OWNER, OPERATOR, AUDITOR). It answers `Thing`.',
      '| `id` | `ID!` |',
      '```json\n{ "id": "385582705278969001" }\n```',
    ])
      expect(pages.get('things.md')).toContain(part);
    expect(pages.get('README.md')).toContain('| [`thing`](things.md#thing) | query | Finds it. |');
  });

  it('is refused for an operation without an example, and for an example without an operation', () => {
    expect(() => apiPages(schema, features, new Map())).toThrow('No example with an answer: thing.');
    const surplus = byName(example('thing'), example('gone'));
    expect(() => apiPages(schema, features, surplus)).toThrow('No operation of the schema: gone');
  });
});
