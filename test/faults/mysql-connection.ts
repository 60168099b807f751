import {
  CLIENT_MULTI_STATEMENTS,
  COMMAND,
  errorPacket,
  isAnswered,
  MysqlPacketReader,
  MysqlReply,
  packetOf,
  type MysqlPacket,
} from './mysql-wire.js';
import { isBegin, isCommit, isRollback, statementsOf } from './sql-statements.js';
import type { LinkName, MysqlEvent, Piece, Refusal, Wire, WireEvent } from './wire-events.js';

const [OK, ERROR] = [0x00, 0xff];
/** No statement begins below this offset; a query's attributes would be there, but no client sends any. */
const FIRST_OF_TEXT = 0x20;

interface Request {
  readonly event: Omit<MysqlEvent, 'side' | 'sequence'>;
  readonly reply: MysqlReply;
  readonly prepares: string | null;
}

/** A connection to the database: messages and their replies, and what the open transaction has done so far. */
export class MysqlConnection implements Wire {
  private readonly packets = new MysqlPacketReader();
  private readonly replies = new MysqlPacketReader();
  private capabilities = 0;
  private isSignedOn = false;
  private request: Request | null = null;
  private transaction: string[] = [];
  private isInTransaction = false;
  private readonly prepared = new Map<number, string>();
  private own: { readonly reply: MysqlReply; readonly done: (last: Buffer) => void } | null = null;
  /** What the client's queries begin with; it depends on what the client and the server agreed on. */
  private queryHead: Buffer = Buffer.from([COMMAND.QUERY]);
  private readonly link: LinkName;
  private readonly connectionNo: number;

  constructor(link: LinkName, connectionNo: number) {
    this.link = link;
    this.connectionNo = connectionNo;
  }

  fromClient(chunk: Buffer): readonly Piece[] {
    return this.packets.push(chunk).map((packet) => this.fromClientPacket(packet));
  }

  fromServer(chunk: Buffer): readonly Piece[] {
    return this.replies.push(chunk).flatMap((packet) => {
      if (this.own === null) return [this.fromServerPacket(packet)];
      this.endOwn(packet);
      return [];
    });
  }

  async rollback(send: (bytes: Buffer) => void): Promise<void> {
    const answer = await new Promise<Buffer>((resolve) => {
      this.own = { reply: new MysqlReply(COMMAND.QUERY, this.capabilities), done: resolve };
      this.transaction = [];
      this.isInTransaction = false;
      send(packetOf(0, Buffer.concat([this.queryHead, Buffer.from('rollback')])));
    });
    if (answer[0] === ERROR) throw new Error(`The database did not roll back: ${answer.toString('utf8', 3)}`);
  }

  refusal(event: WireEvent, { errno, state, message }: Refusal): Buffer {
    const { side, sequence } = event as MysqlEvent;
    return errorPacket(side === 'REPLY' ? sequence : sequence + 1, errno, state, message);
  }

  private endOwn(packet: MysqlPacket): void {
    if (this.own?.reply.take(packet) !== true) return;
    this.own.done(packet.payload);
    this.own = null;
  }

  private fromClientPacket(packet: MysqlPacket): Piece {
    const { bytes, payload, sequence } = packet;
    if (!this.isSignedOn) {
      // The client's first packet, right after the greeting, begins with what it is capable of.
      if (sequence === 1 && this.capabilities === 0) this.capabilities = payload.readUInt32LE(0);
      return { bytes, event: null };
    }
    // All packets but the first continue a message: a file, for example.
    if (sequence !== 0) return { bytes, event: null };
    const command = payload[0] ?? 0;
    if (command === COMMAND.CHANGE_USER) this.isSignedOn = false;
    if (!isAnswered(command) || !this.isSignedOn) return { bytes, event: null };
    if (command === COMMAND.QUERY) this.queryHead = payload.subarray(0, textStart(payload));
    const statements = this.statementsIn(command, payload);
    this.note(statements);
    const event = {
      kind: 'MYSQL',
      link: this.link,
      connectionNo: this.connectionNo,
      statements,
      transaction: [...this.transaction],
      maySendSeveral: (this.capabilities & CLIENT_MULTI_STATEMENTS) !== 0,
    } as const;
    const reply = new MysqlReply(command, this.capabilities);
    this.request = { event, reply, prepares: command === COMMAND.PREPARE ? textOf(payload) : null };
    return { bytes, event: { ...event, side: 'REQUEST', sequence } };
  }

  private note(statements: readonly string[]): void {
    // What comes behind a COMMIT belongs to no transaction, least of all to the one before.
    if (!this.isInTransaction) this.transaction = [];
    for (const statement of statements) {
      if (isBegin(statement)) {
        this.transaction = [];
        this.isInTransaction = true;
      } else if (isCommit(statement) || isRollback(statement)) this.isInTransaction = false;
      this.transaction.push(statement);
    }
  }

  private statementsIn(command: number, payload: Buffer): string[] {
    if (command === COMMAND.QUERY) return statementsOf(textOf(payload));
    if (command !== COMMAND.EXECUTE) return [];
    return statementsOf(this.prepared.get(payload.readUInt32LE(1)) ?? '');
  }

  private fromServerPacket(packet: MysqlPacket): Piece {
    const { bytes, payload, sequence } = packet;
    if (!this.isSignedOn) {
      // The greeting comes with number 0; what follows may be questions, and at last an OK.
      if (sequence > 0 && payload[0] === OK) this.isSignedOn = true;
      return { bytes, event: null };
    }
    const { request } = this;
    if (request === null) return { bytes, event: null };
    if (request.prepares !== null && payload[0] === OK && sequence === 1)
      this.prepared.set(payload.readUInt32LE(1), request.prepares);
    if (!request.reply.take(packet)) return { bytes, event: null };
    this.request = null;
    if (payload[0] !== ERROR || request.event.statements.length > 0)
      return { bytes, event: { ...request.event, side: 'REPLY', sequence } };
    return { bytes, event: null };
  }
}

function textOf(payload: Buffer): string {
  return payload.toString('utf8', textStart(payload));
}

function textStart(payload: Buffer): number {
  return (payload[1] ?? FIRST_OF_TEXT) < FIRST_OF_TEXT && (payload[1] ?? 0) < 2 ? 3 : 1;
}
