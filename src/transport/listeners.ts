import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { addressesOf, isNotHere } from '../platform/host-addresses.js';
import type { Logger } from '../platform/observability/log.js';

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
    try {
      for (const other of others) await this.listenAlso(other, listening.port);
    } catch (error) {
      await this.app.close();
      throw error;
    }
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
      // Another program there would be given the tokens of clients that mean this process.
      if (!isNotHere(error)) throw error;
      this.log.warn({ err: error, host, port }, 'The process does not listen on this address of localhost.');
      return;
    }
    server.on('error', (error) => http.emit('error', error));
    this.further.push(server);
  }
}
