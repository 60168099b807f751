import type { ProcessName, StoreName } from './stage-parts.js';

/** Whose connections a proxy carries: a process' to a store, or the clients' to a process. */
export interface LinkName {
  readonly process: ProcessName;
  readonly to: StoreName | 'clients';
}

interface Common {
  readonly link: LinkName;
  readonly connectionNo: number;
  /** A request is about to be forwarded to the server, a reply to the client. */
  readonly side: 'REQUEST' | 'REPLY';
}

export interface RedisEvent extends Common {
  readonly kind: 'REDIS';
  /** In capitals. */
  readonly command: string;
  /** The name of the Lua file that runs, or null. */
  readonly script: string | null;
  readonly keys: readonly string[];
  readonly words: readonly string[];
  /** Of a reply. */
  readonly isError: boolean;
  /** The text of a reply, as sent on the wire. */
  readonly reply: string;
}

export interface MysqlEvent extends Common {
  readonly kind: 'MYSQL';
  /** Of the one message. Both sides have those of the request. */
  readonly statements: readonly string[];
  /** Everything that was sent of the open transaction since its BEGIN, this message included; outside of one, this message alone. */
  readonly transaction: readonly string[];
  /** The connection may send several statements in one message: those that commit do. */
  readonly maySendSeveral: boolean;
  /** Of the last packet. */
  readonly sequence: number;
}

export interface HttpEvent extends Common {
  readonly kind: 'HTTP';
  /** Of the request; a reply has it too. */
  readonly tenantId: string | null;
  readonly request: string;
  /** What is about to be forwarded. */
  readonly text: string;
}

export type WireEvent = RedisEvent | MysqlEvent | HttpEvent;

/** The text of a message, and of those before it in the same transaction. */
export function textOf(event: WireEvent): string {
  switch (event.kind) {
    case 'REDIS':
      return event.words.join(' ');
    case 'MYSQL':
      return event.transaction.join(' ');
    case 'HTTP':
      return `${event.request} ${event.text}`;
  }
}

/** The server rolls back, and the client gets this error instead. */
export interface Refusal {
  readonly errno: number;
  readonly state: string;
  readonly message: string;
  /** Called when the server has rolled back and the client has the error. */
  readonly told?: () => void;
}

/** PASS forwards the message. RESET drops it, and breaks the connection on both sides. */
export type Verdict = 'PASS' | 'RESET' | Refusal;

/** Asked about every message before it is forwarded; the message is held until the answer. */
export type Watch = (event: WireEvent) => Verdict | Promise<Verdict>;

/** A part of what came over a connection. */
export interface Piece {
  readonly bytes: Buffer;
  /** Null for what is none of a watcher's business. */
  readonly event: WireEvent | null;
}

/** Reads one connection, both ways. */
export interface Wire {
  fromClient(chunk: Buffer): readonly Piece[];
  fromServer(chunk: Buffer): readonly Piece[];
  /** Where the protocol has transactions: undoes the open one on the server, unseen by the client. */
  rollback?(send: (bytes: Buffer) => void): Promise<void>;
  /** What a client gets instead of a reply. */
  refusal?(event: WireEvent, refusal: Refusal): Buffer;
}
