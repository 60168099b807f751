import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { traced } from '../observability/tracing.js';
import { RedisCluster } from './redis-cluster.js';
import { answered, asRedisFailure, type Redis, type RedisNode } from './redis.js';

const FOLDER = fileURLToPath(new URL('../../../scripts/lua', import.meta.url));

const SPAN = { 'db.system.name': 'redis' };

/**
 * One Lua file of `scripts/lua`, run by its digest. Redis forgets scripts when it restarts; the text is sent
 * again when it does. Every key is in `keys`, so that a script is one slot on Redis Cluster.
 */
export class RedisScript {
  private readonly text: string;
  private readonly digest: string;

  constructor(
    private readonly redis: Redis,
    readonly name: string,
    /** At once: an answer waits only for this. Otherwise it may be batched with others for a moment. */
    private readonly leaves: 'at once' | 'gathered' = 'gathered',
  ) {
    this.text = scriptText(FOLDER, name);
    this.digest = createHash('sha1').update(this.text).digest('hex');
  }

  /** @throws StoreUnavailableError when Redis does not answer; the script may or may not have run. */
  async run(keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return traced(this.name, SPAN, async () => this.evaluate(keys, args));
  }

  private async evaluate(keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const gathering = this.gather(keys);
    gathering.outstanding += 1;
    try {
      return await this.redis.evalsha(this.digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw asRedisFailure(error);
    } finally {
      gathering.outstanding -= 1;
    }
    return answered(this.redis.eval(this.text, keys.length, ...keys, ...args));
  }

  /** Lets what is sent next leave together with other scripts to the same master. */
  private gather([key = '']: readonly string[]): Gathering {
    const node = this.redis instanceof RedisCluster ? this.redis.nodeOf(key) : this.redis;
    if (node === null) return newGathering();
    const gathering = gatheringOf(node);
    sendTogether(node, gathering, this.leaves === 'at once');
    return gathering;
  }
}

/** The text of a script; a line `-- include lib/x` stands for that file, so that scripts share functions. */
export function scriptText(folder: string, name: string): string {
  const text = readFileSync(path.join(folder, `${name}.lua`), 'utf8');
  return text.replace(/^-- include (\S+)$/gm, (_line, part: string) => scriptText(folder, part));
}

interface Gathering {
  /** Scripts that are yet to be answered. */
  outstanding: number;
  /** Sends what is gathered; null while nothing is. */
  release: (() => void) | null;
}

const newGathering = (): Gathering => ({ outstanding: 0, release: null });
/** One for all scripts on a connection. */
const gatherings = new WeakMap<RedisNode, Gathering>();
/** How long a command waits for others at most, while replies to earlier ones are outstanding. */
const GATHER_MS = 1;

function gatheringOf(redis: RedisNode): Gathering {
  const known = gatherings.get(redis) ?? newGathering();
  gatherings.set(redis, known);
  return known;
}

/**
 * Commands of the same moment leave in one write. Each by itself would be a system call here and a wake-up of Redis,
 * which cost more than the script does. A lone command leaves in the same turn of the event loop.
 */
function sendTogether({ stream }: RedisNode, gathering: Gathering, atOnce: boolean): void {
  if (stream === undefined) return;
  if (gathering.release === null) {
    stream.cork();
    const release = (): void => {
      if (gathering.release !== release) return;
      gathering.release = null;
      stream.uncork();
    };
    gathering.release = release;
    if (gathering.outstanding > 0) setTimeout(release, GATHER_MS);
    else setImmediate(release);
  }
  if (atOnce) setImmediate(gathering.release);
}
