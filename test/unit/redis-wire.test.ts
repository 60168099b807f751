import { describe, expect, it } from 'vitest';
import { RedisCommandReader, RedisReplyReader } from '../faults/redis-wire.js';

/** Everything a reader finds when the bytes come in two pieces, cut at any place. */
function atEveryCut<T>(bytes: Buffer, make: () => { push(chunk: Buffer): T[] }): T[][] {
  return Array.from({ length: bytes.length + 1 }, (_, at) => {
    const reader = make();
    return [...reader.push(bytes.subarray(0, at)), ...reader.push(bytes.subarray(at))];
  });
}

function byteByByte<T>(bytes: Buffer, reader: { push(chunk: Buffer): T[] }): T[] {
  return [...bytes].flatMap((byte) => reader.push(Buffer.from([byte])));
}

const command = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;

describe('commands of Redis', () => {
  const bytes = Buffer.from(
    command('EVALSHA', 'abc', '1', '{T}:open', 'a\r\n$3\r\nb') + command('PING') + command('SET', 'ä', ''),
  );
  const words = [['EVALSHA', 'abc', '1', '{T}:open', 'a\r\n$3\r\nb'], ['PING'], ['SET', 'ä', '']];

  it('are split correctly wherever the connection cuts them', () => {
    for (const found of atEveryCut(bytes, () => new RedisCommandReader())) {
      expect(found.map((each) => each.words)).toEqual(words);
      expect(Buffer.concat(found.map((each) => each.bytes))).toEqual(bytes);
    }
    expect(byteByByte(bytes, new RedisCommandReader()).map((each) => each.words)).toEqual(words);
  });

  it('may come as a line', () => {
    const [found] = new RedisCommandReader().push(Buffer.from('AUTH secret\r\n'));
    expect(found?.words).toEqual(['AUTH', 'secret']);
  });
});

describe('replies of Redis', () => {
  const replies = [
    '+OK\r\n',
    '-NOSCRIPT No matching script\r\n',
    ':12\r\n',
    '$5\r\na\r\nbc\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '*3\r\n$7\r\nCLAIMED\r\n:1\r\n*2\r\n+a\r\n_\r\n',
    '%2\r\n+server\r\n$5\r\nredis\r\n+proto\r\n:3\r\n',
    '~1\r\n#t\r\n',
    ',3.14\r\n',
    '|1\r\n+ttl\r\n:9\r\n*1\r\n+with an attribute\r\n',
    '=9\r\ntxt:a\r\nbc\r\n',
    '!5\r\nERR x\r\n',
    '>3\r\n+message\r\n+channel\r\n$2\r\nhi\r\n',
  ];
  const bytes = Buffer.from(replies.join(''));

  it('end where they end, in both versions of the protocol, wherever the connection cuts them', () => {
    for (const found of atEveryCut(bytes, () => new RedisReplyReader())) {
      expect(found.map((each) => each.bytes.toString())).toEqual(replies);
    }
    const slowly = byteByByte(bytes, new RedisReplyReader());
    expect(slowly.map((each) => each.bytes.toString())).toEqual(replies);
  });

  it('are distinguished from pushes, and errors from other replies', () => {
    const found = new RedisReplyReader().push(bytes);
    expect(found.filter(({ isPush }) => isPush)).toHaveLength(1);
    expect(found.filter(({ isError }) => isError)).toHaveLength(2);
  });
});
