import path from 'node:path';
import { lockDataDir } from './data-dir-lock.js';
import { findFreePort } from './loopback.js';
import { rememberedPort, rememberPort, stopOrphan, type ServerName } from './server-record.js';
import { SupervisedProcess, type ServerProcess } from './supervised-process.js';

const PORT_ATTEMPTS_MAX = 3;

/** A running private server. */
export interface PrivateServer {
  readonly url: string;
  /** Changes when the server was started again after a crash. */
  readonly pid: number;
  stop(): Promise<void>;
  /** Signals the server without the supervisor's knowledge, as a crash would. */
  kill(signal: NodeJS.Signals): void;
}

export interface PrivateServerOptions {
  /** Folder of the data, of the run files, logs and secrets. */
  readonly dataDir: string;
  /** Where servers.json is; `.data/servers` of the project by default. */
  readonly serversDir?: string;
  readonly log: (line: string) => void;
  /** False trades safety against a power failure for speed; a killed server still loses nothing. */
  readonly durable?: boolean;
  /** For tests: the account may also use databases whose names begin with the program's and an underscore. */
  readonly scratchDatabases?: boolean;
  /** False leaves a dead server dead. */
  readonly supervise?: boolean;
  /** Gives the start up; what was started by then is stopped. */
  readonly signal?: AbortSignal;
}

export interface ServerPlan {
  readonly name: ServerName;
  readonly url: (port: number) => string;
  /** Prepares data and settings for the port and says how to run the server. */
  readonly prepare: (
    port: number,
  ) => Promise<Omit<ServerProcess, 'supervise' | 'signal' | 'log' | 'name' | 'dataDir' | 'port'>>;
}

/** Starts one server under a lock of its own on the data folder. */
export async function startPrivateServer(
  options: PrivateServerOptions,
  plan: ServerPlan,
): Promise<PrivateServer> {
  const dataDir = path.resolve(options.dataDir);
  const unlock = await lockDataDir(dataDir, plan.name);
  try {
    await stopOrphan(dataDir, plan.name, options.log);
    const { server, port } = await startOnFreePort({ ...options, dataDir }, plan);
    return {
      url: plan.url(port),
      get pid() {
        return server.pid;
      },
      kill: (signal) => {
        server.kill(signal);
      },
      stop: async () => {
        await server.stop();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Another process may take the port between the search and the start; then a new one is tried. */
async function startOnFreePort(
  options: PrivateServerOptions,
  plan: ServerPlan,
): Promise<{ server: SupervisedProcess; port: number }> {
  const { dataDir, log, supervise = true, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const port = await findFreePort(attempt === 1 ? rememberedPort(dataDir, plan.name) : undefined);
    const prepared = await plan.prepare(port);
    const server = new SupervisedProcess({
      ...prepared,
      name: plan.name,
      dataDir,
      port,
      log,
      supervise,
      signal,
    });
    try {
      await server.start();
      rememberPort(dataDir, plan.name, port);
      return { server, port };
    } catch (error) {
      await server.stop();
      // A port that is still free was not the reason, and another one would not help.
      if (attempt >= PORT_ATTEMPTS_MAX || (await findFreePort(port)) === port) throw error;
    }
  }
}
