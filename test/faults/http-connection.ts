import type { HttpEvent, LinkName, Piece, Wire } from './wire-events.js';

const TOKEN = /authorization: Bearer [^.\s]+\.([^.\s]+)\./i;

/**
 * A client's connection to an API process. One request at a time, as the clients here make them; a request or a reply
 * may come in several pieces, each of which is an event.
 */
export class HttpConnection implements Wire {
  private request = '';
  private isAnswered = true;
  private readonly link: LinkName;
  private readonly connectionNo: number;

  constructor(link: LinkName, connectionNo: number) {
    this.link = link;
    this.connectionNo = connectionNo;
  }

  fromClient(chunk: Buffer): readonly Piece[] {
    const text = chunk.toString('utf8');
    this.request = this.isAnswered ? text : this.request + text;
    this.isAnswered = false;
    return [{ bytes: chunk, event: this.event('REQUEST', text) }];
  }

  fromServer(chunk: Buffer): readonly Piece[] {
    this.isAnswered = true;
    return [{ bytes: chunk, event: this.event('REPLY', chunk.toString('utf8')) }];
  }

  private event(side: HttpEvent['side'], text: string): HttpEvent {
    const { link, connectionNo, request } = this;
    return { kind: 'HTTP', link, connectionNo, side, request, tenantId: tenantOf(request), text };
  }
}

/** The tenant that the caller's token names. */
function tenantOf(request: string): string | null {
  const claims = TOKEN.exec(request)?.[1];
  if (claims === undefined) return null;
  const { tid } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { tid?: string };
  return tid ?? null;
}
