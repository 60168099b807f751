import 'reflect-metadata';
import { expect, it } from 'vitest';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import { loadConfig } from '../../src/config.js';
import { DomainError } from '../../src/platform/errors.js';
import { parseManifest } from '../../src/identity/partners/operation-manifest.js';
import { OperationSet } from '../../src/identity/partners/operation-sets.js';
import { RegisteredOperationsService } from '../../src/identity/partners/registered-operations.service.js';
import { systemClock } from '../../src/platform/clock.js';
import type { Transactions } from '../../src/platform/database/transaction.js';
import { operationCheck } from '../../src/transport/operation-check.js';
import { Random } from '../faults/load/random.js';

const SEED = 20_261_129;
const CASES = 600;
const VIEWER = 'query Viewer { viewer { kind } }';
const FORMAT = 'apollo-persisted-query-manifest';

const apollo = (operations: unknown, rest: object = {}) => ({
  format: FORMAT,
  version: 1,
  operations,
  ...rest,
});
const viewer = { id: 'a1', name: 'Viewer', type: 'query', body: VIEWER };

it('reads the manifests of Apollo, of GraphQL Code Generator and of Relay, ids and texts as they are given', () => {
  const [given] = parseManifest(JSON.stringify(apollo([viewer])));
  expect(given).toEqual({ id: 'a1', name: 'Viewer', type: 'query', text: VIEWER });
  for (const id of ['sha256:0f3a', '0f3a', 'd41d8cd98f00b204e9800998ecf8427e'])
    expect(parseManifest(`\uFEFF${JSON.stringify({ [id]: VIEWER })}`)).toEqual([
      { id, name: null, type: null, text: VIEWER },
    ]);
});

it('names the operation at fault, by its place and name, or by its id', () => {
  const refused = (manifest: unknown) => () => parseManifest(JSON.stringify(manifest));
  expect(refused(apollo([viewer, { ...viewer, id: '' }]))).toThrow('Operation 2 (Viewer)');
  expect(refused(apollo([viewer, { ...viewer, name: 'Again' }]))).toThrow('the id a1');
  expect(refused({ a: VIEWER, b: 7 })).toThrow('Operation b');
});

it('finds an operation by its id in either spelling of the hash, and by nothing that an object has by itself', () => {
  const operation = { name: null, type: 'query', text: VIEWER } as const;
  const set = new OperationSet(1, [
    { ...operation, id: 'sha256:aa' },
    { ...operation, id: 'bb' },
  ]);
  for (const id of ['aa', 'sha256:aa', 'bb', 'sha256:bb']) expect(set.textOf({ id })).toBe(VIEWER);
  for (const id of ['', 'sha256:', 'cc', '__proto__', 'constructor', 7, {}, [], ['aa'], true])
    expect(set.textOf({ id })).toBeNull();
  expect(set.textOf({ id: 'aa', text: '{ other }' })).toBeNull();
  expect(set.textOf({})).toBeNull();
});

const good = JSON.stringify(apollo([viewer]));
const texts = [
  'query {',
  'subscription { }',
  '{ nothing }',
  'fragment F on Query { viewer { kind } }',
  'query A { viewer { kind } } query B { viewer { kind } }',
  'type Query { a: Int }',
  `{ ${'viewer { '.repeat(40)} kind ${'} '.repeat(40)} }`,
  `{ ${Array.from({ length: 60 }, (_, at) => `a${at}: viewer { kind }`).join(' ')} }`,
  '{ __schema { types { name } } viewer { kind } }',
  '\u0000',
  '"""',
];

/** A manifest that must be refused. */
function bad(random: Random): string {
  const text = random.pick(texts);
  const at = random.between(1, good.length - 1);
  const makers: (() => unknown)[] = [
    () => good.slice(0, at),
    () => `${good.slice(0, at)}\u0001${good.slice(at)}`,
    () => random.pick(['', ' ', 'null', '[]', '7', '"x"', 'true', '{}', '[[]]', 'undefined']),
    () => apollo([{ ...viewer, body: text }]),
    () => apollo([viewer, { ...viewer, id: 'b', body: text }]),
    () => apollo([viewer, viewer]),
    () => apollo([{ ...viewer, type: random.pick(['mutation', 'subscription', 'Query', '', 7, null]) }]),
    () => apollo([{ ...viewer, name: random.pick(['Other', 7, null, {}, []]) }]),
    () => apollo([{ ...viewer, id: random.pick(['', ' ', 'a b', 'é', 'x'.repeat(129), 7, null, {}]) }]),
    () => apollo([{ ...viewer, body: random.pick(['', 7, null, {}, [], 'x'.repeat(65_537)]) }]),
    () => apollo(random.pick([null, {}, 'x', 7, [], [null], [7], [[]]])),
    () => apollo([viewer], { version: random.pick([0, 2, '1', null]) }),
    () => apollo([viewer], { format: random.pick(['', 'relay', null, 7]) }),
    () => apollo(Array.from({ length: 1001 }, (_, no) => ({ ...viewer, id: `a${no}` }))),
    () => ({ [random.pick(['', ' ', 'a b', 'é'])]: VIEWER }),
    () => ({ good: VIEWER, bad: text }),
    () => ({ good: VIEWER, bad: random.pick([null, 7, {}, [], true]) }),
    () => ({ good: 'x'.repeat(1_048_577) }),
  ];
  const made = random.pick(makers)();
  return typeof made === 'string' ? made : JSON.stringify(made);
}

it(`refuses ${CASES} bad manifests of 18 kinds as a whole, by a code, before anything is written`, async () => {
  const random = new Random(SEED);
  const check = operationCheck(buildRedeemkitSchema(), loadConfig({ NODE_ENV: 'test' }));
  const transactions = {
    run: () => {
      throw new Error('Nothing may be written.');
    },
  } as unknown as Transactions;
  const service = new RegisteredOperationsService({
    clock: systemClock,
    transactions,
    partners: { noteChange: async () => Promise.resolve() },
    ports: { checkOperation: check },
  });
  const seen = new Set<string>();
  for (let number = 0; number < CASES; number += 1) {
    const manifest = bad(random);
    const shown = manifest.slice(0, 200);
    const refusal: unknown = await service
      .register('T', 'eve', { partnerId: '1', manifest })
      .catch((e: unknown) => e);
    expect([shown, refusal instanceof DomainError]).toEqual([shown, true]);
    seen.add((refusal as DomainError).code);
  }
  expect(seen).toEqual(new Set(['MANIFEST_TOO_LARGE', 'MANIFEST_MALFORMED', 'OPERATION_NOT_ALLOWED']));
});
