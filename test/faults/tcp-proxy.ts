import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { HttpConnection } from './http-connection.js';
import { MysqlConnection } from './mysql-connection.js';
import { ProxyLane } from './proxy-lane.js';
import { RedisConnection } from './redis-connection.js';
import type { LinkName, Refusal, Verdict, Watch, Wire, WireEvent } from './wire-events.js';

export interface ProxySettings {
  readonly link: LinkName;
  /** Where the server listens at this moment; null when it is not known. */
  readonly target: () => number | null;
  /** Asked for every message. */
  readonly watch: () => Watch | null;
}

/** RESET breaks connections and refuses new ones. SILENT lets nothing pass, and delivers it when it is mended. */
export type Cut = 'RESET' | 'SILENT';

/** A listener in front of one server, for one client process; forwards every connection. */
export class TcpProxy {
  private readonly connections = new Set<ProxiedConnection>();
  private readonly server: Server;
  private readonly settings: ProxySettings;
  private cutAs: Cut | null = null;
  private mended = Promise.withResolvers<void>();
  private count = 0;

  private constructor(settings: ProxySettings) {
    this.settings = settings;
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.accept(client));
  }

  static async open(settings: ProxySettings): Promise<TcpProxy> {
    const proxy = new TcpProxy(settings);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  cut(how: Cut): void {
    this.cutAs = how;
    if (how === 'RESET') for (const connection of this.connections) connection.reset();
  }

  mend(): void {
    this.cutAs = null;
    this.mended.resolve();
    this.mended = Promise.withResolvers();
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cut('RESET');
    this.mend();
    await closed;
  }

  /** Asynchronous only where there is something to wait for. */
  judge(event: WireEvent | null): Verdict | Promise<Verdict> {
    if (this.cutAs === 'SILENT') return this.judgeLater(event);
    const watch = this.settings.watch();
    return event === null || watch === null ? 'PASS' : watch(event);
  }

  private async judgeLater(event: WireEvent | null): Promise<Verdict> {
    while (this.cutAs === 'SILENT') await this.mended.promise;
    return this.judge(event);
  }

  private accept(client: Socket): void {
    const target = this.settings.target();
    client.on('error', () => undefined);
    if (this.cutAs === 'RESET' || target === null) {
      client.resetAndDestroy();
      return;
    }
    this.count += 1;
    const wire = wireOf(this.settings.link, this.count);
    const connection = new ProxiedConnection(client, target, wire, (event) => this.judge(event));
    this.connections.add(connection);
    client.once('close', () => this.connections.delete(connection));
  }
}

function wireOf(link: LinkName, no: number): Wire {
  if (link.to === 'redis') return new RedisConnection(link, no);
  return link.to === 'database' ? new MysqlConnection(link, no) : new HttpConnection(link, no);
}

type Judge = (event: WireEvent | null) => Verdict | Promise<Verdict>;

/** One connection, and the one behind it. What one side ends, the other side hears of after all that was sent before. */
class ProxiedConnection {
  private readonly client: Socket;
  private readonly server: Socket;
  private readonly wire: Wire;

  constructor(client: Socket, port: number, wire: Wire, judge: Judge) {
    this.client = client;
    this.wire = wire;
    this.server = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.server.on('error', () => undefined);
    const refuse = async (event: WireEvent, refusal: Refusal): Promise<void> => this.refuse(event, refusal);
    const reset = (): void => this.reset();
    const up = new ProxyLane(this.server, judge, refuse, reset);
    const down = new ProxyLane(client, judge, refuse, reset);
    client.on('data', (chunk) => up.push(wire.fromClient(chunk)));
    this.server.on('data', (chunk) => down.push(wire.fromServer(chunk)));
    client.once('end', () => up.end());
    this.server.once('end', () => down.end());
    client.once('close', () => up.end());
    this.server.once('close', () => down.end({ andDestroy: true }));
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }

  private async refuse(event: WireEvent, refusal: Refusal): Promise<void> {
    if (this.wire.rollback === undefined || this.wire.refusal === undefined)
      throw new Error(`Nothing can be refused on a connection of kind ${event.kind}.`);
    try {
      await this.wire.rollback((bytes) => this.server.write(bytes));
    } catch {
      // No client sees the refusal, so it is not counted as one.
      this.reset();
      return;
    }
    this.client.write(this.wire.refusal(event, refusal));
    refusal.told?.();
  }
}
