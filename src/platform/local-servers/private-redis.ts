import path from 'node:path';
import { dataFolders, makeFolder, secretOf, writePrivateFile } from './files.js';
import { probe } from './loopback.js';
import { startPrivateServer, type PrivateServer, type PrivateServerOptions } from './private-server.js';
import { readServerBinaries, serverEnvironment } from './server-binaries.js';

/** A Redis or Valkey of our own in `<dataDir>/redis`. */
export async function startPrivateRedis(options: PrivateServerOptions): Promise<PrivateServer> {
  const dataDir = path.resolve(options.dataDir);
  const binary = readServerBinaries(options.serversDir).redis;
  let password = '';
  return startPrivateServer(options, {
    name: 'redis',
    url: (port) => `redis://:${password}@127.0.0.1:${port}/0`,
    prepare: async (port) => {
      password = secretOf(dataDir, 'redis');
      const config = writeConfig(dataDir, port, password, options.durable ?? true);
      return {
        command: binary.server,
        args: [config],
        env: serverEnvironment(binary),
        isReady: () => isReady(port, password),
      };
    },
  });
}

/** A file rather than arguments, because arguments, and with them the password, can be read by every user. */
function writeConfig(dataDir: string, port: number, password: string, durable: boolean): string {
  const dir = path.join(dataDir, 'redis');
  makeFolder(dir);
  const settings: readonly (readonly [string, string])[] = [
    ['bind', '127.0.0.1'],
    ['port', String(port)],
    ['requirepass', password],
    ['dir', JSON.stringify(dir)],
    ['appendonly', 'yes'],
    ['appendfsync', durable ? 'everysec' : 'no'],
    ['save', '""'],
    ['maxmemory-policy', 'noeviction'],
    // The command line stays as it is: by it an orphan is known as ours.
    ['set-proc-title', 'no'],
    ['daemonize', 'no'],
  ];
  const file = path.join(dataFolders(dataDir).run, 'redis.conf');
  writePrivateFile(file, `${settings.map((pair) => pair.join(' ')).join('\n')}\n`);
  return file;
}

/** Redis answers LOADING until it has read its log; QUIT makes it close at once then, rather than leave us waiting. */
function isReady(port: number, password: string): Promise<boolean> {
  return probe(port, `AUTH ${password}\r\nPING\r\nQUIT\r\n`, (reply) => reply.includes('+PONG'));
}
