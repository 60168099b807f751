import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  /** Nothing passes, not even the end of either side. */
  isDead: boolean;
}

/** Listens in front of a server, as a proxy or a virtual address does, and can lead elsewhere or go dead. */
export class TcpForwarder {
  private readonly lines = new Set<Line>();
  private isMute = false;
  private refusesNext = false;
  /** How many connections were closed instead of forwarded. */
  refused = 0;

  private readonly listener: Server;
  private targetPort: number;

  private constructor(listener: Server, targetPort: number) {
    this.listener = listener;
    this.targetPort = targetPort;
    listener.on('connection', (client: Socket) => this.join(client));
  }

  static async start(targetPort: number): Promise<TcpForwarder> {
    const listener = createServer({ pauseOnConnect: true });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new TcpForwarder(listener, targetPort);
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** New connections go there; those that there are stay where they are. */
  pointAt(targetPort: number): void {
    this.targetPort = targetPort;
  }

  /** The present connections go dead: nothing comes through any more, and none is closed. */
  deaden(): void {
    for (const line of this.lines) {
      const { client, server } = line;
      line.isDead = true;
      client.unpipe(server);
      server.unpipe(client);
      client.pause();
      server.pause();
    }
  }

  /** The answers on the present connections are lost; what is sent over them arrives. */
  loseAnswers(): void {
    for (const { client, server } of this.lines) {
      server.unpipe(client);
      server.pause();
    }
  }

  /** From now on new connections are taken and never answered; or, with false, forwarded again. */
  mute(isMute: boolean): void {
    this.isMute = isMute;
  }

  /** The next connection is closed at once, and no other. */
  refuseNext(): void {
    this.refusesNext = true;
  }

  /** Cuts all connections, in the middle of what they carry. */
  cut(): void {
    for (const { client, server } of this.lines) {
      client.destroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.listener.close();
    await once(this.listener, 'close');
  }

  private join(client: Socket): void {
    if (this.refusesNext) {
      this.refusesNext = false;
      this.refused += 1;
      client.destroy();
      return;
    }
    const server = connect(this.targetPort, '127.0.0.1');
    const line: Line = { client, server, isDead: false };
    this.lines.add(line);
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      end.setNoDelay(true);
      end.on('error', () => undefined);
      end.once('close', () => {
        if (line.isDead) return;
        other.destroy();
        this.lines.delete(line);
      });
    }
    if (this.isMute) return;
    client.pipe(server);
    server.pipe(client);
  }
}
