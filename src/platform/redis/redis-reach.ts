import { Redis } from 'ioredis';
import { networkCodeOf, networkObstacle, passes, stays, type StoreObstacle } from '../await-store.js';
import { scrub } from '../observability/scrub.js';
import { clusterAddress, isClusterUrl } from './redis-address.js';

const ANSWER_WITHIN_MS = 2000;
const VARIABLE = 'REDIS_URL';
const VERSION_MIN = 7;

/** Why the Redis of the address cannot be used now; null where it can. Of a cluster one node has to answer; else what does not pass by itself is told first. */
export async function redisObstacle(redisUrl: string): Promise<StoreObstacle | null> {
  if (!isClusterUrl(redisUrl)) return obstacleAt(redisUrl, 'single');
  const obstacles = await Promise.all(
    clusterAddress(redisUrl).urls.map(async (url) => obstacleAt(url, 'cluster')),
  );
  if (obstacles.includes(null)) return null;
  return obstacles.find((each) => each?.mayPass === false) ?? obstacles[0] ?? null;
}

type Kind = 'single' | 'cluster';

async function obstacleAt(address: string, kind: Kind): Promise<StoreObstacle | null> {
  const url = new URL(address);
  const redis = new Redis(address, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_WITHIN_MS,
    commandTimeout: ANSWER_WITHIN_MS,
  });
  // The event of a connection carries the cause; a failed command says only that the connection is closed.
  const errors: unknown[] = [];
  redis.on('error', (error: unknown) => errors.push(error));
  try {
    await redis.connect();
    const info = await redis.info();
    return errors.length > 0 ? refusal(errors[0], url) : stateObstacle(info, url, kind);
  } catch (error) {
    return refusal(errors[0] ?? error, url);
  } finally {
    redis.disconnect();
  }
}

function refusal(error: unknown, url: URL): StoreObstacle | null {
  const text = error instanceof Error ? error.message : String(error);
  const at = `Redis at ${url.host}`;
  // Who may not ask for its state may still use it.
  if (text.startsWith('NOPERM')) return null;
  if (text.startsWith('NOAUTH')) return stays(`${at} wants a password: put it into ${VARIABLE}.`);
  if (text.startsWith('WRONGPASS') || text.startsWith('ERR AUTH'))
    return stays(`${at} refuses the user or password: correct ${VARIABLE}.`);
  if (text.startsWith('LOADING'))
    return passes(`${at} is still reading its data: start again when it is done.`);
  if (text.includes('DB index is out of range'))
    return stays(
      `${at} has no database ${url.pathname.slice(1)}: correct the number at the end of ${VARIABLE}.`,
    );
  if (text.includes('not allowed in cluster mode')) return cluster(url);
  return transportObstacle(error, url) ?? stays(`${at} refuses: ${scrub(text)}. Correct ${VARIABLE}.`);
}

function transportObstacle(error: unknown, url: URL): StoreObstacle | null {
  const code = networkCodeOf(error) ?? '';
  const isTls = url.protocol === 'rediss:';
  if (isTls && (code === 'ETIMEDOUT' || code === 'EPROTO' || code === 'ECONNRESET'))
    return passes(
      `Redis at ${url.host} does not answer by TLS: where it takes none, begin ${VARIABLE} with redis://.`,
    );
  if (!isTls && code === 'ECONNRESET')
    return passes(
      `Redis at ${url.host} hangs up: where it takes only TLS, begin ${VARIABLE} with rediss://.`,
    );
  if (/CERT|SSL|TLS/.test(code))
    return stays(
      `The certificate of Redis at ${url.host} is not trusted (${code}): name its authority in NODE_EXTRA_CA_CERTS.`,
    );
  return networkObstacle(error, 'Redis', url, VARIABLE);
}

/** From the text of INFO: `name:value` lines. */
function stateObstacle(info: string, url: URL, kind: Kind): StoreObstacle | null {
  const value = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  const at = `Redis at ${url.host}`;
  const version = value('redis_version') ?? `${VERSION_MIN}`;
  if (Number.parseInt(version, 10) < VERSION_MIN)
    return stays(`${at} is version ${version}: Redeemkit needs Redis ${VERSION_MIN} or newer.`);
  const isOfCluster = value('cluster_enabled') === '1';
  if (isOfCluster && kind === 'single') return cluster(url);
  if (!isOfCluster && kind === 'cluster')
    return stays(`${at} is no node of a cluster: begin ${VARIABLE} with ${url.protocol}//.`);
  if (value('loading') === '1')
    return passes(`${at} is still reading its data: start again when it is done.`);
  if (value('role') === 'slave' && kind === 'single')
    return passes(`${at} is a replica: point ${VARIABLE} at the primary.`);
  return null;
}

function cluster(url: URL): StoreObstacle {
  const scheme = url.protocol.replace(':', '+cluster:');
  return stays(
    `Redis at ${url.host} is a node of a cluster: write ${VARIABLE}=${scheme}//${url.host}, with further nodes behind commas.`,
  );
}
