import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nameLookup } from '../../src/platform/outgoing/name-lookup.js';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const ADDRESS = [192, 0, 2, 7] as const;

/** Knows one address for names that end with `.known.test`, says nothing of `.hangs.test`, and knows no other. */
let nameServer: Socket;
const questions: string[] = [];
beforeAll(async () => {
  nameServer = createSocket('udp4');
  nameServer.on('message', (question, { port, address }) => {
    const text = question.toString('latin1');
    questions.push(text);
    if (!text.includes('hangs')) nameServer.send(answerTo(question, text.includes('known')), port, address);
  });
  nameServer.bind(0, '127.0.0.1');
  await once(nameServer, 'listening');
});
afterAll(() => nameServer.close());

function answerTo(question: Buffer, isKnown: boolean): Buffer {
  const end = question.indexOf(0, HEADER_BYTES) + 5;
  const isAddress = isKnown && question.readUInt16BE(end - 4) === TYPE_A;
  const head = Buffer.from(question.subarray(0, HEADER_BYTES));
  head.writeUInt16BE(isKnown ? 0x81_80 : 0x81_83, 2);
  head.writeUInt16BE(isAddress ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, ...ADDRESS]);
  return Buffer.concat([head, question.subarray(HEADER_BYTES, end), ...(isAddress ? [record] : [])]);
}

const lookup = () => nameLookup([`127.0.0.1:${nameServer.address().port}`]);

it('X.19 finds a name while the servers of a hundred others do not answer', async () => {
  const find = lookup();
  const hanging = Array.from({ length: 100 }, async (_, no) => find(`name-${no}.hangs.test`));
  for (const each of hanging) each.catch(() => undefined);
  await expect.poll(() => questions.length).toBeGreaterThan(100);
  expect(await find('a.known.test')).toEqual([{ address: '192.0.2.7', family: 4 }]);
  // What only the system knows is not behind them, either.
  expect((await find('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
});

it('asks once for a name that several want', async () => {
  const find = lookup();
  await Promise.all([find('b.known.test'), find('b.known.test'), find('b.known.test')]);
  // Those without an answer are asked again meanwhile. A name is sent in parts, each behind its length.
  expect(questions.filter((text) => text.includes('\u0001b\u0005known'))).toHaveLength(2);
});
