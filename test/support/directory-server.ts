import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DirectoryTenant } from '../../src/tenancy/directory/tenant-directory.js';

export const DIRECTORY_TOKEN = 'a token of the directory';

/** The system that owns the tenants, as docs/directory.md describes it. */
export class DirectoryServer {
  readonly tenants = new Map<string, DirectoryTenant>();
  /** ANSWERS; FAILS with 503; HANGS without a word; ODD answers something else. */
  mode: 'ANSWERS' | 'FAILS' | 'HANGS' | 'ODD' = 'ANSWERS';
  requests = 0;
  private readonly hanging: ServerResponse[] = [];

  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(): Promise<DirectoryServer> {
    const server = createServer();
    const directory = new DirectoryServer(server);
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://directory');
      directory.requests += 1;
      if (directory.mode === 'HANGS') directory.hanging.push(response);
      else if (directory.mode === 'FAILS') response.writeHead(503).end();
      else if (directory.mode === 'ODD') response.end('{"tenants":[{"id":1}]}');
      else if (request.headers.authorization !== `Bearer ${DIRECTORY_TOKEN}`) response.writeHead(401).end();
      else if (pathname !== '/v1/tenants') response.writeHead(404).end();
      else {
        const tenants = searchParams.getAll('id').flatMap((id) => directory.tenants.get(id) ?? []);
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ tenants }));
      }
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return directory;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Changes a tenant, and answers its new state. */
  set(id: string, state: Partial<DirectoryTenant> = {}): DirectoryTenant {
    const before = this.tenants.get(id) ?? {
      id,
      name: 'Test tenant',
      type: 'CHANNEL',
      status: 'ACTIVE',
      version: 0,
    };
    const after = { ...before, version: before.version + 1, ...state };
    this.tenants.set(id, after);
    return after;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await once(this.server.close(), 'close');
  }
}
