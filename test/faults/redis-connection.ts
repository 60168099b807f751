import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { scriptText } from '../../src/platform/redis/script.js';
import { RedisCommandReader, RedisReplyReader, type RedisCommand, type RedisReply } from './redis-wire.js';
import type { LinkName, Piece, RedisEvent, Wire } from './wire-events.js';

const LUA = path.resolve(import.meta.dirname, '../../scripts/lua');
/** In RESP3 these are answered by pushes alone; in RESP2 a connection that listens gets nothing else any more. */
const LISTENS = /^[PS]?(?:UN)?SUBSCRIBE$/;

const digestOf = (text: string): string => createHash('sha1').update(text).digest('hex');

/** The scripts by the digest under which Redis knows them. */
const scripts = new Map<string, string>();
learnScripts(LUA);

/** Another build may have other scripts of the same names. */
export function learnScripts(folder: string): void {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.lua'))) {
    const name = path.basename(file, '.lua');
    scripts.set(digestOf(scriptText(folder, name)), name);
  }
}

type Request = Omit<RedisEvent, 'side' | 'isError' | 'reply'>;

/** A connection to Redis: which command is which script, and which reply belongs to it. */
export class RedisConnection implements Wire {
  private readonly commands = new RedisCommandReader();
  private readonly replies = new RedisReplyReader();
  /** Sent, and not answered. */
  private readonly pending: Request[] = [];
  private isResp3 = false;
  private onlyListens = false;
  private readonly link: LinkName;
  private readonly connectionNo: number;

  constructor(link: LinkName, connectionNo: number) {
    this.link = link;
    this.connectionNo = connectionNo;
  }

  fromClient(chunk: Buffer): readonly Piece[] {
    return this.commands.push(chunk).map((command) => this.request(command));
  }

  fromServer(chunk: Buffer): readonly Piece[] {
    return this.replies.push(chunk).map((reply) => this.reply(reply));
  }

  private request({ bytes, words }: RedisCommand): Piece {
    const command = (words[0] ?? '').toUpperCase();
    if (command === 'HELLO' && words[1] === '3') this.isResp3 = true;
    if (LISTENS.test(command)) {
      this.onlyListens ||= !this.isResp3;
      return { bytes, event: null };
    }
    const request: Request = {
      kind: 'REDIS',
      link: this.link,
      connectionNo: this.connectionNo,
      command,
      words,
      ...scriptOf(command, words),
    };
    this.pending.push(request);
    return { bytes, event: { ...request, side: 'REQUEST', isError: false, reply: '' } };
  }

  private reply({ bytes, isPush, isError }: RedisReply): Piece {
    const request = isPush || this.onlyListens ? undefined : this.pending.shift();
    if (request === undefined) return { bytes, event: null };
    return { bytes, event: { ...request, side: 'REPLY', isError, reply: bytes.toString('latin1') } };
  }
}

function scriptOf(command: string, words: readonly string[]): Pick<RedisEvent, 'script' | 'keys'> {
  if (command !== 'EVALSHA' && command !== 'EVAL') return { script: null, keys: words.slice(1, 2) };
  const digest = command === 'EVAL' ? digestOf(words[1] ?? '') : (words[1] ?? '').toLowerCase();
  return { script: scripts.get(digest) ?? null, keys: words.slice(3, 3 + Number(words[2])) };
}
