import { describe, expect, it } from 'vitest';
import { COMMAND, errorPacket, MysqlPacketReader, MysqlReply, packetOf } from '../faults/mysql-wire.js';
import { insertsInto, isBegin, isCommit, statementsOf } from '../faults/sql-statements.js';

const MORE = 0x08;
const DEPRECATE_EOF = 0x01_00_00_00;
const ok = (status = 0): Buffer => Buffer.from([0, 1, 0, status, 0, 0, 0]);
const end = (status = 0): Buffer => Buffer.from([0xfe, 0, 0, status, 0]);
const column = Buffer.from('a definition');
const row = Buffer.from('\u0003abc');
const longRow = Buffer.concat([Buffer.from([0xfe]), Buffer.alloc(20)]);
const rows = (status = 0): Buffer[] => [Buffer.from([2]), column, column, end(), row, longRow, end(status)];
const error = errorPacket(1, 1213, '40001', 'Deadlock').subarray(4);

/** At which packets a reply is over. */
function endsAt(command: number, payloads: readonly Buffer[], capabilities = 0): number[] {
  const reply = new MysqlReply(command, capabilities);
  const packets = new MysqlPacketReader().push(Buffer.concat(payloads.map((each, at) => packetOf(at, each))));
  return packets.flatMap((packet, at) => (reply.take(packet) ? [at] : []));
}

describe('packets of MySQL', () => {
  it('are split correctly wherever the connection cuts them', () => {
    const packets = [
      packetOf(0, Buffer.from('\u0003commit')),
      packetOf(7, Buffer.alloc(0)),
      packetOf(1, row),
    ];
    const bytes = Buffer.concat(packets);
    for (let at = 0; at <= bytes.length; at += 1) {
      const reader = new MysqlPacketReader();
      const found = [...reader.push(bytes.subarray(0, at)), ...reader.push(bytes.subarray(at))];
      expect(found.map((each) => each.bytes)).toEqual(packets);
      expect(found.map(({ sequence }) => sequence)).toEqual([0, 7, 1]);
    }
  });

  it('are put together where a payload is too long for one', () => {
    const long = Buffer.alloc(0xff_ff_ff, 1);
    const [found] = new MysqlPacketReader().push(
      Buffer.concat([packetOf(0, long), packetOf(1, Buffer.from('end'))]),
    );
    expect(found?.payload).toHaveLength(long.length + 3);
  });
});

describe('a reply of MySQL', () => {
  it.each([
    ['an OK', COMMAND.QUERY, [ok()]],
    ['an error', COMMAND.QUERY, [error]],
    ['rows', COMMAND.QUERY, rows()],
    ['rows that end in an error', COMMAND.QUERY, [...rows().slice(0, -1), error]],
    ['several results', COMMAND.QUERY, [ok(MORE), ...rows(MORE), ok(MORE), ok()]],
    ['several results and an error', COMMAND.QUERY, [...rows(MORE), error]],
    [
      'a prepared statement',
      COMMAND.PREPARE,
      [Buffer.from([0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]), column, end(), column, end()],
    ],
    ['a prepared statement of nothing', COMMAND.PREPARE, [Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])]],
    ['an answered ping', 0x0e, [ok()]],
  ])('of %s ends with its last packet and not before', (_name, command, payloads) => {
    expect(endsAt(command, payloads)).toEqual([payloads.length - 1]);
  });

  it('ends without end packets where client and server have agreed on that', () => {
    const okAsEnd = (status: number): Buffer => Buffer.from([0xfe, 0, 0, status, 0, 0, 0]);
    const payloads = [
      Buffer.from([1]),
      column,
      row,
      okAsEnd(MORE),
      Buffer.from([1]),
      column,
      longRow,
      okAsEnd(0),
    ];
    // A row that begins like an end packet is one only when it is shorter than a packet can be.
    expect(endsAt(COMMAND.QUERY, payloads.toSpliced(6, 1), DEPRECATE_EOF)).toEqual([6]);
  });
});

describe('statements of one message', () => {
  it('are distinguished by what lies between texts and comments', () => {
    const sql =
      "begin; select 'a;\\'b', \"c;d\", `e;f` -- g;h\nfrom t /* i;j */;\ninsert into `redemption` (a) values ('commit;');commit";
    expect(statementsOf(sql)).toEqual([
      'begin',
      "select 'a;\\'b', \"c;d\", `e;f` -- g;h\nfrom t /* i;j */",
      "insert into `redemption` (a) values ('commit;')",
      'commit',
    ]);
  });

  it('are known by what they begin with', () => {
    expect(['begin', 'START  TRANSACTION', 'beginning'].map(isBegin)).toEqual([true, true, false]);
    expect(['commit', 'COMMIT WORK', 'committed'].map(isCommit)).toEqual([true, true, false]);
    const inserts = [
      'insert into redemption (a',
      'insert into `redemption` (a',
      'insert into `redemption_x` (a',
    ];
    expect(inserts.map((sql) => insertsInto('redemption', sql))).toEqual([true, true, false]);
  });
});
