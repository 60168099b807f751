import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config.js';
import type { DemoFile } from '../app/demo.js';
import { LocalServersBusyError } from '../platform/local-servers/local-servers.errors.js';
import { startLocalServers } from '../platform/local-servers/local-servers.js';
import { CliError } from './failures.js';

const PAUSE_MS = 250;
/** A Redeemkit that has just begun to start is waited for, and so is another command on the same data. */
const TRIES_MAX = 60;
const ALIVE_TIMEOUT_MS = 1000;

export interface FoundStores {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** The private servers, started for this command alone: their schema is ours to keep up to date. */
  readonly areOwn: boolean;
  stop(): Promise<void>;
}

/** The stores of the configuration; else those of the Redeemkit that runs in the data folder; else private ones. */
export async function findStores(config: Config, say: (line: string) => void): Promise<FoundStores> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = config;
  if (databaseUrl !== undefined && redisUrl !== undefined) return others(databaseUrl, redisUrl);
  const dataDir = path.resolve(config.DATA_DIR);
  for (let tries = 1; ; tries += 1) {
    try {
      return { ...(await startLocalServers({ dataDir, log: say })), areOwn: true };
    } catch (error) {
      if (!(error instanceof LocalServersBusyError)) throw error;
      const running = await runningRedeemkit(dataDir);
      if (running !== null) return others(running.databaseUrl, running.redisUrl);
      if (tries === TRIES_MAX) throw new CliError(stillBusy(error));
    }
    await pause(PAUSE_MS);
  }
}

function others(databaseUrl: string, redisUrl: string): FoundStores {
  return { databaseUrl, redisUrl, areOwn: false, stop: async () => undefined };
}

/** The file outlives the process that wrote it, so the process is asked. */
async function runningRedeemkit(dataDir: string): Promise<DemoFile | null> {
  try {
    const demo = JSON.parse(await readFile(path.join(dataDir, 'demo.json'), 'utf8')) as DemoFile;
    const answer = await fetch(`${demo.url}/healthz`, { signal: AbortSignal.timeout(ALIVE_TIMEOUT_MS) });
    return answer.ok ? demo : null;
  } catch {
    return null;
  }
}

function stillBusy({ dataDir, ownerPid }: LocalServersBusyError): string {
  return `Process ${ownerPid} uses the data in ${dataDir} and does not answer; wait until it is up, or has ended.`;
}
