import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * What a proxy does with one request: FORWARD it; CUT the connection before the server has it; LOSE the answer of the
 * server; never answer (HANG); or answer with a status and a page of its own.
 */
export type ProxyAct = 'FORWARD' | 'CUT' | 'LOSE' | 'HANG' | ProxyPage;

export interface ProxyPage {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ProxiedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A proxy between clients and a server, as networks are: it fails as it is told, request by request. */
export class HttpProxy {
  /** What it does with the next requests; afterwards it forwards. */
  acts: ProxyAct[] = [];
  /** All requests that arrived. */
  readonly requests: ProxiedRequest[] = [];
  private readonly server = createServer((request, response) => void this.take(request, response));

  private target: string;

  private constructor(target: string) {
    this.target = target;
  }

  static async start(target: string): Promise<HttpProxy> {
    const proxy = new HttpProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  pointAt(target: string): void {
    this.target = target;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { url: path = '/', headers } = request;
    this.requests.push({ path, headers, body });
    const act = this.acts.shift() ?? 'FORWARD';
    if (act === 'CUT') request.socket.destroy();
    else if (act === 'FORWARD' || act === 'LOSE') await this.forward(request, body, response, act === 'LOSE');
    else if (act !== 'HANG') response.writeHead(act.status, { ...act.headers }).end(act.body ?? '');
  }

  private async forward(
    { url: path = '/', method = 'POST', headers, socket }: IncomingMessage,
    body: string,
    response: ServerResponse,
    isLost: boolean,
  ): Promise<void> {
    const own = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);
    const passed = Object.entries(headers).filter(([name]) => !own.has(name));
    try {
      const reply = await fetch(`${this.target}${path}`, {
        method,
        headers: Object.fromEntries(passed.map(([name, value]) => [name, String(value)])),
        ...(method !== 'GET' && { body }),
      });
      const answer = await reply.text();
      if (isLost) socket.destroy();
      else
        response
          .writeHead(reply.status, [...reply.headers].filter(([name]) => !own.has(name)).flat())
          .end(answer);
    } catch {
      socket.destroy();
    }
  }
}
