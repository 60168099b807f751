/*
 * Reads the protocol of MySQL and MariaDB off a connection, in pieces as they come: packets, and where the reply to a
 * command ends, however many results it has.
 */

const HEADER_LENGTH = 4;
/** A packet of this length is continued in the next one. */
const LENGTH_MAX = 0xff_ff_ff;
const CLIENT_DEPRECATE_EOF = 0x01_00_00_00;
export const CLIENT_MULTI_STATEMENTS = 0x00_01_00_00;
const MORE_RESULTS = 0x0008;

export interface MysqlPacket {
  /** With the header; of several packets where the payload was too long for one. */
  readonly bytes: Buffer;
  readonly sequence: number;
  readonly payload: Buffer;
}

export class MysqlPacketReader {
  private rest: Buffer = Buffer.alloc(0);

  /** Takes what has come, and answers all that is complete by now. */
  push(chunk: Buffer): MysqlPacket[] {
    const all = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const found: MysqlPacket[] = [];
    let at = 0;
    for (let next = packetAt(all, at); next !== null; next = packetAt(all, at)) {
      found.push(next);
      at += next.bytes.length;
    }
    this.rest = all.subarray(at);
    return found;
  }
}

function packetAt(all: Buffer, at: number): MysqlPacket | null {
  const parts: Buffer[] = [];
  let end = at;
  for (;;) {
    if (all.length < end + HEADER_LENGTH) return null;
    const length = all.readUIntLE(end, 3);
    const from = end + HEADER_LENGTH;
    end = from + length;
    if (all.length < end) return null;
    parts.push(all.subarray(from, end));
    if (length < LENGTH_MAX) break;
  }
  const [only] = parts;
  const payload = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  return { bytes: all.subarray(at, end), sequence: all[at + 3] ?? 0, payload };
}

/** A packet as it goes over the wire; short ones only. */
export function packetOf(sequence: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
}

export const COMMAND = {
  QUIT: 0x01,
  QUERY: 0x03,
  CHANGE_USER: 0x11,
  PREPARE: 0x16,
  EXECUTE: 0x17,
  SEND_LONG_DATA: 0x18,
  CLOSE_STATEMENT: 0x19,
} as const;

/** Commands that are not answered. */
const UNANSWERED: ReadonlySet<number> = new Set([
  COMMAND.QUIT,
  COMMAND.SEND_LONG_DATA,
  COMMAND.CLOSE_STATEMENT,
]);
const WITH_RESULTS: ReadonlySet<number> = new Set([COMMAND.QUERY, COMMAND.EXECUTE]);

export function isAnswered(command: number): boolean {
  return !UNANSWERED.has(command);
}

const [OK, ERROR, END, LOCAL_FILE] = [0x00, 0xff, 0xfe, 0xfb];
/** A row may begin with the byte of an end packet too, but is then longer than any end packet. */
const END_LENGTH_MAX = 9;

type Expected = 'RESULT' | 'COLUMNS' | 'ROWS' | 'DEFINITIONS';

/** Follows the server's packets through the reply to one command. */
export class MysqlReply {
  private expected: Expected = 'RESULT';
  /** Packets that are passed without a look: definitions of columns and parameters, and the ends behind them. */
  private toPass = 0;
  private readonly command: number;
  private readonly withEnds: boolean;

  constructor(command: number, capabilities: number) {
    this.command = command;
    this.withEnds = (capabilities & CLIENT_DEPRECATE_EOF) === 0;
  }

  /** True when this packet is the last one of the reply. */
  take({ payload }: MysqlPacket): boolean {
    const first = payload[0] ?? OK;
    switch (this.expected) {
      case 'RESULT':
        return this.begin(payload, first);
      case 'COLUMNS':
        this.toPass -= 1;
        if (this.toPass === 0) this.expected = 'ROWS';
        return false;
      case 'DEFINITIONS':
        this.toPass -= 1;
        return this.toPass === 0;
      case 'ROWS':
        if (first === ERROR) return true;
        if (first !== END || payload.length >= (this.withEnds ? END_LENGTH_MAX : LENGTH_MAX)) return false;
        return this.endOfResult(this.withEnds ? payload.readUInt16LE(3) : statusOf(payload));
    }
  }

  private begin(payload: Buffer, first: number): boolean {
    if (this.command === COMMAND.PREPARE && first === OK) return this.beginDefinitions(payload);
    if (!WITH_RESULTS.has(this.command) || first === ERROR) return true;
    if (first === OK) return this.endOfResult(statusOf(payload));
    // The client sends the file, and the result comes after it.
    if (first === LOCAL_FILE) return false;
    this.toPass = lengthAt(payload, 0).value + (this.withEnds ? 1 : 0);
    this.expected = 'COLUMNS';
    return false;
  }

  private beginDefinitions(payload: Buffer): boolean {
    const counts = [payload.readUInt16LE(5), payload.readUInt16LE(7)].filter((count) => count > 0);
    this.toPass = counts.reduce((sum, count) => sum + count + (this.withEnds ? 1 : 0), 0);
    this.expected = 'DEFINITIONS';
    return this.toPass === 0;
  }

  private endOfResult(status: number): boolean {
    this.expected = 'RESULT';
    return (status & MORE_RESULTS) === 0;
  }
}

/** The status of an OK packet, which follows two numbers of variable length. */
function statusOf(payload: Buffer): number {
  return payload.readUInt16LE(lengthAt(payload, lengthAt(payload, 1).end).end);
}

function lengthAt(payload: Buffer, at: number): { readonly value: number; readonly end: number } {
  const first = payload[at] ?? 0;
  if (first < 0xfb) return { value: first, end: at + 1 };
  if (first === 0xfc) return { value: payload.readUInt16LE(at + 1), end: at + 3 };
  if (first === 0xfd) return { value: payload.readUIntLE(at + 1, 3), end: at + 4 };
  return { value: Number(payload.readBigUInt64LE(at + 1)), end: at + 9 };
}

/** A server's refusal, as clients understand it. */
export function errorPacket(sequence: number, errno: number, state: string, message: string): Buffer {
  const head = Buffer.from([ERROR, errno & 0xff, errno >> 8]);
  return packetOf(sequence, Buffer.concat([head, Buffer.from(`#${state}${message}`)]));
}
