import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as Verifier } from 'standardwebhooks';

/** A request as a receiver got it. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The number of the event. */
  readonly seq: number;
}

export type Answer = (received: Received, response: ServerResponse) => void;

/** What a merchant runs: several receivers in one server, one a path. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  connections = 0;
  private readonly answers = new Map<string, Answer>();
  private readonly server = createServer((request, response) => void this.take(request, response));

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    receiver.server.on('connection', () => (receiver.connections += 1));
    await once(receiver.server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  urlOf(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** 204 for paths that are not named. */
  on(path: string, answer: Answer): void {
    this.answers.set(path, answer);
  }

  at(path: string): Received[] {
    return this.received.filter((each) => each.path === path);
  }

  seqsAt(path: string): number[] {
    return this.at(path).map(({ seq }) => seq);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await once(this.server.close(), 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const { url: path = '', headers } = request;
    const { cursor } = JSON.parse(body) as { cursor: string };
    const received = { path, headers, body, seq: Number(cursor) };
    this.received.push(received);
    const answer = this.answers.get(path);
    if (answer === undefined) response.writeHead(204).end();
    else answer(received, response);
  }
}

/** Whether the public library takes the message for one that was signed with the secret. */
export function isSignedWith(secret: string, { headers, body }: Received): boolean {
  try {
    new Verifier(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
