import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * Stands before the cluster bus of one node. Each node of a test binds its own connections to an address of its own,
 * so the proxy knows from which node a connection comes, and can cut a node off in both directions.
 */
export class BusProxy {
  private readonly lines = new Set<{ readonly from: string; readonly ends: readonly Socket[] }>();
  private readonly cutFrom = new Set<string>();
  private isCut = false;

  private readonly listener: Server;
  private readonly targetPort: number;

  private constructor(listener: Server, targetPort: number) {
    this.listener = listener;
    this.targetPort = targetPort;
    listener.on('connection', (client: Socket) => this.join(client));
  }

  static async open(targetPort: number): Promise<BusProxy> {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new BusProxy(listener, targetPort);
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Nobody reaches the node any more; or again. */
  cutAll(isCut: boolean): void {
    this.isCut = isCut;
    if (isCut) this.destroy(() => true);
  }

  /** The node at this address does not reach this one any more; or again. */
  cutOff(address: string, isCut: boolean): void {
    if (isCut) this.cutFrom.add(address);
    else this.cutFrom.delete(address);
    if (isCut) this.destroy((from) => from === address);
  }

  close(): void {
    this.destroy(() => true);
    this.listener.close();
  }

  private destroy(isMeant: (from: string) => boolean): void {
    for (const { from, ends } of this.lines) if (isMeant(from)) for (const end of ends) end.destroy();
  }

  private join(client: Socket): void {
    const from = client.remoteAddress ?? '';
    if (this.isCut || this.cutFrom.has(from)) {
      client.destroy();
      return;
    }
    const server = connect(this.targetPort, '127.0.0.1');
    const line = { from, ends: [client, server] };
    this.lines.add(line);
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      end.on('error', () => undefined);
      end.once('close', () => {
        other.destroy();
        this.lines.delete(line);
      });
      end.pipe(other);
    }
  }
}
