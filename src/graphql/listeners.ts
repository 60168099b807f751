import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import type { Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../platform/log.js';

/**
 * Where the server listens. `localhost` is two addresses on most machines, and fastify would open a second HTTP server
 * for the other one, without the bounds of the first. Here its connections are handed to the one HTTP server.
 */
export class Listeners {
  private readonly further: Server[] = [];

  constructor(
    private readonly app: FastifyInstance,
    private readonly log: Logger,
  ) {}

  async listen(host: string, port: number): Promise<AddressInfo> {
    const [address = host, ...others] = await addressesOf(host);
    await this.app.listen({ host: address, port });
    const listening = this.app.server.address() as AddressInfo;
    for (const other of others) await this.listenAlso(other, listening.port);
    return listening;
  }

  /** Takes no more connections at the further addresses. Resolves once those that are open have closed. */
  async close(): Promise<void> {
    const closed = this.further.map(async (server) => {
      server.close();
      await once(server, 'close');
    });
    this.further.length = 0;
    await Promise.all(closed);
  }

  private async listenAlso(host: string, port: number): Promise<void> {
    const http: HttpServer = this.app.server;
    // As an HTTP server opens its sockets.
    const options = { allowHalfOpen: true, noDelay: true };
    const server = createServer(options, (socket: Socket) => http.emit('connection', socket));
    try {
      server.listen({ host, port });
      await once(server, 'listening');
    } catch (error) {
      // As where IPv6 is off, though the name has an address of it.
      this.log.warn({ err: error, host, port }, 'The process does not listen on this address of localhost.');
      return;
    }
    server.on('error', (error) => http.emit('error', error));
    this.further.push(server);
  }
}

async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: host === 'localhost' });
  return [...new Set([found].flat().map(({ address }) => address))];
}
