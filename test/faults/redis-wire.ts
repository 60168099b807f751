/*
 * Reads RESP2 and RESP3 off a connection, in pieces as they come. Only as much is understood as it takes to know where
 * a command or a reply ends, and which reply belongs to which command.
 */

const CR_LF = '\r\n';
const [STAR, DOLLAR] = [0x2a, 0x24];

/** A command of a client: the bytes it was sent as, and its words. */
export interface RedisCommand {
  readonly bytes: Buffer;
  readonly words: readonly string[];
}

/** What a server sends: a reply, or a push, which answers no command. */
export interface RedisReply {
  readonly bytes: Buffer;
  readonly isPush: boolean;
  readonly isError: boolean;
}

interface Part<T> {
  readonly value: T;
  readonly end: number;
}

/** Gathers what has come until a whole is there. */
abstract class Reader<T extends { readonly bytes: Buffer }> {
  private rest: Buffer = Buffer.alloc(0);

  /** Takes what has come, and answers all that is complete by now. */
  push(chunk: Buffer): T[] {
    const all = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const found: T[] = [];
    let at = 0;
    for (let next = this.read(all, at); next !== null; next = this.read(all, at)) {
      found.push(next.value);
      at = next.end;
    }
    this.rest = all.subarray(at);
    return found;
  }

  protected abstract read(all: Buffer, at: number): Part<T> | null;
}

export class RedisCommandReader extends Reader<RedisCommand> {
  protected read(all: Buffer, at: number): Part<RedisCommand> | null {
    if (at >= all.length) return null;
    const line = lineAt(all, at);
    if (line === null) return null;
    if (all[at] !== STAR) {
      const words = line.value.split(' ').filter((word) => word !== '');
      return { value: { bytes: all.subarray(at, line.end), words }, end: line.end };
    }
    const words: string[] = [];
    let end = line.end;
    for (let count = Number(line.value.slice(1)); count > 0; count -= 1) {
      const word = bulkAt(all, end);
      if (word === null) return null;
      words.push(word.value);
      end = word.end;
    }
    return { value: { bytes: all.subarray(at, end), words }, end };
  }
}

export class RedisReplyReader extends Reader<RedisReply> {
  protected read(all: Buffer, at: number): Part<RedisReply> | null {
    const end = replyEnd(all, at);
    if (end === null) return null;
    const type = String.fromCharCode(all[at] ?? 0);
    const value = {
      bytes: all.subarray(at, end),
      isPush: type === '>',
      isError: type === '-' || type === '!',
    };
    return { value, end };
  }
}

function lineAt(all: Buffer, at: number): Part<string> | null {
  const end = all.indexOf(CR_LF, at);
  return end < 0 ? null : { value: all.toString('latin1', at, end), end: end + CR_LF.length };
}

function bulkAt(all: Buffer, at: number): Part<string> | null {
  const line = lineAt(all, at);
  if (line === null) return null;
  if (all[at] !== DOLLAR) throw new Error('A command holds something else than words.');
  const end = line.end + Number(line.value.slice(1));
  if (end + CR_LF.length > all.length) return null;
  return { value: all.toString('utf8', line.end, end), end: end + CR_LF.length };
}

/** How many further values a value of this type holds for each that its first line counts. */
const VALUES_EACH: Readonly<Record<string, number>> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 };
const WITH_BYTES = '$=!';

function replyEnd(all: Buffer, at: number): number | null {
  if (at >= all.length) return null;
  const line = lineAt(all, at);
  if (line === null) return null;
  const type = line.value.charAt(0);
  const count = Number(line.value.slice(1));
  if (WITH_BYTES.includes(type)) {
    const end = count < 0 ? line.end : line.end + count + CR_LF.length;
    return end > all.length ? null : end;
  }
  // An attribute precedes the value that it describes.
  let left = Math.max(0, count * (VALUES_EACH[type] ?? 0)) + (type === '|' ? 1 : 0);
  let end: number | null = line.end;
  for (; left > 0 && end !== null; left -= 1) end = replyEnd(all, end);
  return end;
}
