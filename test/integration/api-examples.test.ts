import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import {
  EXAMPLES,
  inOrder,
  payloadOf,
  readDemo,
  readExamples,
  replaced,
  valueAt,
  type ApiExample,
} from '../../scripts/api-docs/examples.js';
import { ApiAnswers } from '../support/api-answers.js';
import { openExampleWorld, type ExampleWorld } from '../support/example-world.js';
import { graphqlRequest, graphqlSubscribe, type GraphqlAnswer } from '../support/graphql-client.js';
import { rootFields } from '../support/root-fields.js';

/** `RECORD=1` writes the answers into the examples instead of comparing them. */
const RECORDS = process.env['RECORD'] === '1';
const WAIT_MS = 60_000;

const examples = readExamples();
const ordered = inOrder(examples);
/** The payload of each operation that was sent, and the seeds. */
const payloads: Record<string, unknown> = {};

let world: ExampleWorld;
let answers: ApiAnswers;
beforeAll(async () => {
  world = await openExampleWorld();
  payloads['demo'] = world.seeds;
  answers = new ApiAnswers(JSON.stringify(ordered.map(({ variables }) => variables)), () =>
    systemClock.nowMs(),
  );
});
afterAll(async () => world?.close());

async function sent(example: ApiExample): Promise<GraphqlAnswer> {
  const {
    document: query,
    token,
    headers,
    variables,
  } = replaced(example, (operation, path) => {
    const value = valueAt(payloads[operation], path);
    if (value === undefined) throw new Error(`${operation} has answered no ${path}.`);
    return value;
  }) as ApiExample;
  const call = {
    query,
    ...(token === undefined ? {} : { token }),
    ...(headers === undefined ? {} : { headers }),
    ...(variables === undefined ? {} : { variables }),
  };
  return query.startsWith('subscription') ? firstEvent(call) : graphqlRequest(world.url, call);
}

async function firstEvent(call: Parameters<typeof graphqlSubscribe>[1]): Promise<GraphqlAnswer> {
  const stream = await graphqlSubscribe(world.url, call);
  const event = await stream.next();
  await stream.close();
  return event ?? {};
}

const isThere = (found: unknown, wanted: unknown): boolean =>
  wanted === 'SET' ? found !== null && found !== undefined : found === wanted;

/** The answer; of a query that waits for a worker the first that has what the example waits for. */
async function answered(example: ApiExample): Promise<unknown> {
  const until = Object.entries(example.until ?? {});
  const deadline = systemClock.nowMs() + WAIT_MS;
  for (;;) {
    const { data, errors } = await sent(example);
    const answer = { data, ...(errors === undefined ? {} : { errors }) };
    if (until.every(([path, value]) => isThere(valueAt(answer, path), value))) return answer;
    if (systemClock.nowMs() > deadline)
      throw new Error(`Not within ${WAIT_MS} ms: ${JSON.stringify(answer)}`);
    await pause(100);
  }
}

function record(example: ApiExample, answer: unknown): readonly string[] {
  const { operation, document: _document, ...rest } = example;
  const recorded = { ...rest, answer: answers.recorded(example.answer, answer) };
  writeFileSync(`${EXAMPLES}${operation}.json`, `${JSON.stringify(recorded, null, 2)}\n`);
  return [];
}

describe('the examples of the API', () => {
  it('are there for every operation of the schema, and for no other', () => {
    const names = rootFields(buildRedeemkitSchema(), '').map(({ name }) => name);
    expect([...examples.keys()].toSorted()).toEqual(names.toSorted());
  });

  it.each(ordered.map((example) => [example.operation, example] as const))(
    '%s answers what its page shows',
    async (operation, example) => {
      await world.before(operation, payloads);
      const answer = await answered(example);
      payloads[operation] = payloadOf(operation, answer);
      for (const [name, sample] of Object.entries(readDemo()))
        if (world.seeds[name] !== undefined) answers.learn(world.seeds[name], sample);
      answers.about(example);
      const unlike = RECORDS ? record(example, answer) : answers.differences(example.answer, answer);
      expect(unlike).toEqual([]);
      expect(valueAt(answer, 'errors')).toBeUndefined();
      expect(valueAt(payloads[operation], 'errors') ?? []).toEqual([]);
    },
  );
});
