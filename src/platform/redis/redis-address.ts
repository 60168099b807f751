import type { RedisOptions } from 'ioredis';

/** An address of one Redis, or of nodes of a cluster: `redis+cluster://user:password@host:port,host:port`. */
const CLUSTER = /^(rediss?)\+cluster:\/\/(?:([^@/]*)@)?([^@/]+)\/?$/;
const PORT_DEFAULT = 6379;

export interface ClusterAddress {
  /** Some of its nodes; they name the others. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** The same, each as the address of a single Redis. */
  readonly urls: readonly string[];
  readonly options: Partial<Pick<RedisOptions, 'username' | 'password' | 'tls'>>;
}

export function isClusterUrl(url: string): boolean {
  return /^rediss?\+cluster:/.test(url);
}

/** @throws TypeError when it is no such address */
export function clusterAddress(url: string): ClusterAddress {
  const [, scheme = '', login = '', hosts = ''] = CLUSTER.exec(url) ?? [];
  if (hosts === '') throw new TypeError('Not the address of a cluster.');
  const nodes = hosts.split(',').map((host) => new URL(`${scheme}://${login}@${host}`));
  const [{ username, password }] = nodes as [URL, ...URL[]];
  return {
    urls: nodes.map(({ href }) => href),
    nodes: nodes.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? PORT_DEFAULT : Number(port),
    })),
    options: {
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
      ...(scheme === 'rediss' && { tls: {} }),
    },
  };
}

export function isRedisUrl(url: string): boolean {
  if (!isClusterUrl(url)) return URL.canParse(url);
  try {
    return clusterAddress(url).nodes.length > 0;
  } catch {
    return false;
  }
}
