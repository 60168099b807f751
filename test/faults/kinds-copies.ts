import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { NOT_OF_BATCHES, type Kind, type Scene } from './kind.js';
import { lostWith } from './kinds-stores.js';
import { logFolder } from './redis-log.js';
import { lookoutFor } from './steps.js';
import { withRedis } from './direct-redis.js';
import type { RedisEvent, WireEvent } from './wire-events.js';

/** A copy of Redis' files as they were when a claim had just been made. */
interface StaleCopy {
  readonly folder: string;
  /** The claim, `<redemption id>|<digest>`, as the copy holds it; empty before there is one. */
  claim: string;
  /** Redis has been told since then that it is settled, and has answered. */
  isSettled: boolean;
}

/** A confirm of several claims may be seen before the one that closes this claim. */
const SETTLED_WITHIN_MS = 5000;
const WRITTEN_WITHIN_MS = 1000;
const POLL_MS = 20;

/** The copy holds a claim as open, and knows nothing of its use; it comes back when the claim is settled. */
export const staleCopy: Kind = {
  name: 'STALE_COPY',
  senseless: NOT_OF_BATCHES,
  makesRedisForget: true,
  prepare: async (stage, tenantId) => {
    const { dataDir } = stage.stores.redis;
    const copy: StaleCopy = { folder: path.join(dataDir, 'stale'), claim: '', isSettled: false };
    const lookout = lookoutFor('LUA_APPLIED', tenantId);
    stage.watch = (event) => {
      if (copy.claim === '' && lookout(event) === 'HERE') {
        copy.claim = claimOf(event);
        takeCopy(dataDir, copy);
      } else if (!copy.isSettled && isConfirmed(event, copy.claim)) copy.isSettled = true;
      return 'PASS';
    };
    return copy;
  },
  isReady: (prepared) => (prepared as StaleCopy).isSettled,
  happen: async (scene) => {
    const { redis } = scene.stage.stores;
    const copy = scene.prepared as StaleCopy;
    scene.prove(await differenceOf(scene, copy));
    await redis.kill();
    rmSync(logFolder(redis.dataDir), { recursive: true });
    cpSync(copy.folder, logFolder(redis.dataDir), { recursive: true });
    await redis.start();
    return lostWith('redis', scene);
  },
};

/** @throws Error unless the copy has the claim as open, and Redis has not any more */
async function differenceOf({ stage, tenantId }: Scene, { folder, claim }: StaleCopy): Promise<string> {
  const isOpen = async (): Promise<boolean> =>
    withRedis(
      stage.stores.redis.url,
      async (redis) => (await redis.zscore(`{${tenantId}}:open`, claim)) !== null,
    );
  const giveUp = AbortSignal.timeout(SETTLED_WITHIN_MS);
  while (!giveUp.aborted && (await isOpen())) await pause(POLL_MS);
  if (await isOpen()) throw new Error(`Claim ${claim} is still open.`);
  if (!isInCopy(folder, claim)) throw new Error(`The copy has no claim ${claim}.`);
  return `Redis was put back to a copy in which claim ${claim.split('|')[0]}, settled since, is open`;
}

/** By the arguments of claim-code: the id comes first, the digest third. */
function claimOf(event: WireEvent): string {
  const { words, keys } = event as RedisEvent;
  const [id = '', , digest = ''] = words.slice(3 + keys.length);
  return `${id}|${digest}`;
}

/** An error is no confirmation: a Redis that does not have the script yet answers NOSCRIPT, and is asked again. */
function isConfirmed(event: WireEvent, claim: string): boolean {
  if (event.kind !== 'REDIS' || event.side !== 'REPLY' || event.script !== 'confirm-claims') return false;
  if (event.isError) return false;
  return event.words.includes(claim.split('|')[0] ?? '');
}

/**
 * Redis may reply before its file has the claim, while a slow disk still writes. The reply waits here, so the claim
 * stays open until the file has it.
 */
function takeCopy(dataDir: string, { folder, claim }: StaleCopy): void {
  const giveUpMs = performance.now() + WRITTEN_WITHIN_MS;
  do {
    rmSync(folder, { recursive: true, force: true });
    cpSync(logFolder(dataDir), folder, { recursive: true });
    if (isInCopy(folder, claim)) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  } while (performance.now() < giveUpMs);
}

function isInCopy(folder: string, claim: string): boolean {
  return readdirSync(folder).some((file) => readFileSync(path.join(folder, file)).includes(claim));
}
