import { describe, expect, it } from 'vitest';
import { HttpConnection } from '../faults/http-connection.js';
import { MysqlConnection } from '../faults/mysql-connection.js';
import { COMMAND, packetOf } from '../faults/mysql-wire.js';
import { RedisConnection } from '../faults/redis-connection.js';
import type { Piece, WireEvent } from '../faults/wire-events.js';

const eventsOf = (pieces: readonly Piece[]): WireEvent[] => pieces.flatMap(({ event }) => event ?? []);
const words = (...list: string[]): Buffer =>
  Buffer.from(`*${list.length}\r\n${list.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);

describe('a connection to Redis', () => {
  const commandsOf = (pieces: readonly Piece[]): string[] =>
    eventsOf(pieces).map((event) => (event.kind === 'REDIS' ? event.command : ''));

  it('gives replies to the commands in their order, and pushes to none', () => {
    const connection = new RedisConnection({ process: 'api1', to: 'redis' }, 1);
    connection.fromClient(Buffer.concat([words('HELLO', '3'), words('GET', 'a'), words('SUBSCRIBE', 'c')]));
    connection.fromClient(words('PING'));
    const replies = '%0\r\n>3\r\n+subscribe\r\n+c\r\n:1\r\n+value\r\n>3\r\n+message\r\n+c\r\n+x\r\n+PONG\r\n';
    expect(commandsOf(connection.fromServer(Buffer.from(replies)))).toEqual(['HELLO', 'GET', 'PING']);
  });

  it('of the older protocol that listens has no replies to tell apart any more', () => {
    const connection = new RedisConnection({ process: 'api1', to: 'redis' }, 1);
    connection.fromClient(Buffer.concat([words('PING'), words('SUBSCRIBE', 'c')]));
    const replies =
      '+PONG\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n';
    const pieces = connection.fromServer(Buffer.from(replies));
    expect(pieces).toHaveLength(3);
    expect(eventsOf(pieces)).toEqual([]);
  });
});

describe('a connection to the database', () => {
  const ok = (sequence: number, status = 0): Buffer =>
    packetOf(sequence, Buffer.from([0, 0, 0, status, 0, 0, 0]));
  const query = (sql: string): Buffer =>
    packetOf(0, Buffer.concat([Buffer.from([COMMAND.QUERY]), Buffer.from(sql)]));

  function signedOn(): MysqlConnection {
    const connection = new MysqlConnection({ process: 'api1', to: 'database' }, 1);
    connection.fromServer(packetOf(0, Buffer.from('\u000agreeting')));
    connection.fromClient(packetOf(1, Buffer.from([0, 0, 1, 0, 0, 0, 0, 0])));
    connection.fromServer(ok(2));
    return connection;
  }

  it('reports a reply with its last packet, when the server has done everything', () => {
    const connection = signedOn();
    connection.fromClient(query('begin; insert into t values (1); commit'));
    const more = 0x08;
    expect(eventsOf(connection.fromServer(Buffer.concat([ok(1, more), ok(2, more)])))).toEqual([]);
    expect(eventsOf(connection.fromServer(ok(3)))).toMatchObject([
      { side: 'REPLY', sequence: 3, maySendSeveral: true, statements: { length: 3 } },
    ]);
  });

  it('knows what the open transaction has sent, and forgets it behind its end', () => {
    const connection = signedOn();
    const sent = ['begin', 'insert into t values (1)', 'commit', 'update u set n = 1', 'begin', 'commit'];
    const transactions = sent.map((sql) => {
      const [event] = eventsOf(connection.fromClient(query(sql)));
      connection.fromServer(ok(1));
      return event?.kind === 'MYSQL' ? event.transaction.length : 0;
    });
    expect(transactions).toEqual([1, 2, 3, 1, 1, 2]);
  });

  it('keeps its own rollback from the client', async () => {
    const connection = signedOn();
    const sent: Buffer[] = [];
    const done = connection.rollback((bytes) => void sent.push(bytes));
    expect(Buffer.concat(sent)).toEqual(query('rollback'));
    expect(connection.fromServer(ok(1))).toEqual([]);
    await done;
  });
});

describe('a connection of a client', () => {
  it('takes the tenant from the token, wherever request and reply are cut', () => {
    const connection = new HttpConnection({ process: 'api1', to: 'clients' }, 1);
    const claims = Buffer.from(JSON.stringify({ tid: 'T_1' })).toString('base64url');
    connection.fromClient(
      Buffer.from(`POST /graphql HTTP/1.1\r\nauthorization: Bearer a.${claims}.b\r\n\r\n`),
    );
    connection.fromClient(Buffer.from('{"key":"k"}'));
    const [event] = eventsOf(connection.fromServer(Buffer.from('HTTP/1.1 200 OK')));
    expect(event).toMatchObject({ side: 'REPLY', tenantId: 'T_1' });
    expect(event?.kind === 'HTTP' && event.request.endsWith('{"key":"k"}')).toBe(true);
    const [next] = eventsOf(connection.fromClient(Buffer.from('GET /healthz HTTP/1.1\r\n\r\n')));
    expect(next).toMatchObject({ tenantId: null });
  });
});
