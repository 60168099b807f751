import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { vi } from 'vitest';
import { present } from '../../src/platform/assert.js';
import { dataFolders } from '../../src/platform/local-servers/files.js';
import { findFreePort } from '../../src/platform/local-servers/loopback.js';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';
import { readServerBinaries, serverEnvironment } from '../../src/platform/local-servers/server-binaries.js';
import { newDataFolder } from './data-folder.js';
import { placeDatabase } from './test-servers.js';

/** The folder of the script that a node runs to join. */
const SCRIPTS = path.resolve(import.meta.dirname, 'galera');
/** Nodes that disagree on who is there wait for time-outs of five seconds and more. */
const AGREES = { timeout: 60_000, interval: 50 };

const SETTINGS = [
  '--wsrep-on=ON',
  '--wsrep-cluster-name=redeemkit',
  '--wsrep-node-address=127.0.0.1',
  '--wsrep-sst-method=bypass',
  // A table without a primary key is refused, because its rows are not replicated one by one.
  '--wsrep-mode=REQUIRED_PRIMARY_KEY',
  '--binlog-format=ROW',
  '--innodb-autoinc-lock-mode=2',
  // Triggers are refused otherwise, as on a server with a binlog.
  '--log-bin-trust-function-creators=1',
];

/** Of the status of a node, by names of the server. */
type NodeStatus = Readonly<Record<string, string>>;

class GaleraNode {
  readonly server: PrivateServer;
  private readonly dataDir: string;
  /** By which the other nodes reach it. */
  readonly clusterPort: number;

  constructor(server: PrivateServer, dataDir: string, clusterPort: number) {
    this.server = server;
    this.dataDir = dataDir;
    this.clusterPort = clusterPort;
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  /** The rows of the last statement. */
  async ask<T>(...statements: readonly string[]): Promise<readonly T[]> {
    const connection = await createConnection({ uri: this.server.url.replace(/^mariadb:/, 'mysql:') });
    try {
      let rows: unknown = [];
      for (const sql of statements) [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows as T[];
    } finally {
      await connection.end();
    }
  }

  /** Makes a cluster of a node without a majority, as an operator does who knows that the others are gone. */
  async goOnAlone(): Promise<void> {
    const socketPath = path.join(dataFolders(this.dataDir).run, 'mariadb.sock');
    const connection = await createConnection({ socketPath, user: userInfo().username });
    await connection.query(`set global wsrep_provider_options = 'pc.bootstrap=1'`);
    await connection.end();
  }

  /** Resolves when this many nodes agree, and it takes statements. */
  async isOneOf(size: number): Promise<void> {
    await this.says({ wsrep_ready: 'ON', wsrep_cluster_status: 'Primary', wsrep_cluster_size: `${size}` });
  }

  async says(expected: NodeStatus): Promise<void> {
    await vi.waitFor(async () => {
      const rows = await this.ask<{ Variable_name: string; Value: string }>(`show status like 'wsrep%'`);
      const status = new Map(rows.map((row) => [row.Variable_name, row.Value]));
      const others = Object.keys(expected).filter((name) => status.get(name) !== expected[name]);
      if (others.length > 0)
        throw new Error(`A node says ${others.map((name) => `${name} ${status.get(name)}`).join(', ')}.`);
    }, AGREES);
  }
}

/** A private Galera cluster: three nodes, with the account and the empty database of a private server. */
export class GaleraServers {
  private readonly folder: string;
  private readonly nodes: readonly GaleraNode[];

  private constructor(folder: string, nodes: readonly GaleraNode[]) {
    this.folder = folder;
    this.nodes = nodes;
  }

  /** @param library of Galera, `libgalera_smm.so` */
  static async start(library: string, databaseTemplate: string): Promise<GaleraServers> {
    const folder = newDataFolder('redeemkit-galera-');
    const [first, ...others] = ['1', '2', '3'].map((name) => path.join(folder, name)) as [
      string,
      ...string[],
    ];
    placeDatabase(databaseTemplate, first);
    // Makes the account, and the identity of the cluster.
    const maker = await startNode(library, first, []);
    await maker.server.stop();
    rmSync(path.join(first, 'mariadb', 'galera.cache'));
    for (const other of others) cpSync(first, other, { recursive: true });
    const nothing = path.join(folder, 'nothing.sql');
    writeFileSync(nothing, '');
    const nodes: GaleraNode[] = [];
    const cluster = new GaleraServers(folder, nodes);
    try {
      for (const dataDir of [first, ...others]) {
        nodes.push(await startNode(library, dataDir, nodes, [`--init-file=${nothing}`]));
        for (const node of nodes) await node.isOneOf(nodes.length);
      }
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  node(at: 0 | 1 | 2): GaleraNode {
    return present(this.nodes[at], 'A node of the cluster');
  }

  async close(): Promise<void> {
    // A node that is asked to stop tells the others first, who may be gone.
    for (const { server } of this.nodes) server.kill('SIGKILL');
    await Promise.all(this.nodes.map(async ({ server }) => server.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function startNode(
  library: string,
  dataDir: string,
  others: readonly GaleraNode[],
  more: readonly string[] = [],
): Promise<GaleraNode> {
  const clusterPort = await findFreePort();
  const transferPort = await findFreePort();
  const members = others.map((node) => `127.0.0.1:${node.clusterPort}`).join(',');
  const options = [
    'base_host=127.0.0.1',
    `base_port=${clusterPort}`,
    `gmcast.listen_addr=tcp://127.0.0.1:${clusterPort}`,
    `ist.recv_addr=127.0.0.1:${transferPort}`,
    'gcache.size=32M',
  ];
  const env = serverEnvironment(readServerBinaries().database);
  const server = await startPrivateMariadb({
    dataDir,
    log: () => undefined,
    durable: false,
    supervise: false,
    extraArgs: [
      '--innodb-buffer-pool-size=64M',
      ...SETTINGS,
      `--wsrep-provider=${library}`,
      `--wsrep-cluster-address=gcomm://${members}`,
      `--wsrep-provider-options=${options.join(';')}`,
      ...more,
    ],
    extraEnvironment: { PATH: `${SCRIPTS}:${env['PATH']}` },
  });
  return new GaleraNode(server, dataDir, clusterPort);
}
