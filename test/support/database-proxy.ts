import { isCommit } from '../faults/sql-statements.js';
import { TcpProxy } from '../faults/tcp-proxy.js';
import { textOf, type MysqlEvent, type Verdict, type Watch } from '../faults/wire-events.js';

/** Whether it is the message, of the transactions of one tenant, that is to be held. */
export type MessageTest = (event: MysqlEvent) => boolean;

export const isCommitRequest: MessageTest = ({ side, statements }) =>
  side === 'REQUEST' && statements.some(isCommit);
export const isCommitReply: MessageTest = ({ side, statements }) =>
  side === 'REPLY' && statements.some(isCommit);

/** A message that is held: the process that sent it, or waits for it, does not know. */
export interface HeldMessage {
  readonly reached: Promise<void>;
  /** PASS forwards it, RESET drops it and breaks its connection on both sides. */
  letGo(verdict: Verdict): void;
}

/** Stands before the database, and can hold one message of each tenant. */
export class DatabaseProxy {
  private readonly watches = new Map<string, (event: MysqlEvent) => Verdict | Promise<Verdict> | null>();

  private readonly proxy: TcpProxy;
  readonly url: string;

  private constructor(proxy: TcpProxy, url: string) {
    this.proxy = proxy;
    this.url = url;
  }

  static async open(databaseUrl: string): Promise<DatabaseProxy> {
    const url = new URL(databaseUrl);
    const target = Number(url.port);
    let watch: Watch | null = null;
    const link = { process: 'api1', to: 'database' } as const;
    const proxy = await TcpProxy.open({ link, target: () => target, watch: () => watch });
    url.port = String(proxy.port);
    const opened = new DatabaseProxy(proxy, url.href);
    watch = (event) => (event.kind === 'MYSQL' ? opened.judge(event) : 'PASS');
    return opened;
  }

  /** Holds the first message of the tenant's transactions that passes the test, and no other. */
  hold(tenantId: string, test: MessageTest): HeldMessage {
    const reached = Promise.withResolvers<void>();
    const verdict = Promise.withResolvers<Verdict>();
    this.watches.set(tenantId, (event) => {
      if (!test(event)) return null;
      this.watches.delete(tenantId);
      reached.resolve();
      return verdict.promise;
    });
    return { reached: reached.promise, letGo: verdict.resolve };
  }

  async close(): Promise<void> {
    await this.proxy.close();
  }

  private judge(event: MysqlEvent): Verdict | Promise<Verdict> {
    const text = textOf(event);
    for (const [tenantId, watch] of this.watches) {
      if (text.includes(`'${tenantId}'`)) return watch(event) ?? 'PASS';
    }
    return 'PASS';
  }
}
