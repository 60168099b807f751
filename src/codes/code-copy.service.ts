import { randomUUID } from 'node:crypto';
import type { Id } from '../platform/ids.js';
import { answered, type Redis } from '../platform/redis/redis.js';
import { RedisScript } from '../platform/redis/script.js';
import type { Code } from './code.entity.js';

/** Longer than any load takes: until then a load that began before a change is recognised as older. */
export const VERSION_FLOOR_MS = 60_000;
const UNKNOWN_TTL_MS = 60_000;
const UNKNOWN_CAP = 10_000;

/** All keys of a tenant share one hash tag, so that one script is one slot on Redis Cluster. */
export const codeKeys = {
  copy: (tenantId: string, digest: string) => `{${tenantId}}:code:${digest}`,
  unknown: (tenantId: string) => `{${tenantId}}:unknown`,
  epoch: (tenantId: string) => `{${tenantId}}:epoch`,
} as const;

/** A code's committed state as Redis holds it; instants in milliseconds, "" for what is not set. */
export interface CodeCopy {
  readonly digest: string;
  readonly version: number;
  readonly id: string;
  readonly campaignId: string;
  readonly batchId: string;
  readonly status: string;
  readonly useLimit: number;
  readonly used: number;
  readonly startsMs: number | '';
  readonly expiresMs: number | '';
  readonly assignedUserId: string;
  /** Who used a single-use code up. */
  readonly soleUserId: string;
}

/** What staff see of a copy. */
export type ShownCopy = Pick<CodeCopy, 'status' | 'used' | 'useLimit' | 'version'>;

/** What of a code's row its copy holds. */
export type CopiedCode = Pick<
  Code,
  | 'id'
  | 'codeDigest'
  | 'campaignId'
  | 'batchId'
  | 'status'
  | 'useLimit'
  | 'used'
  | 'startsAt'
  | 'expiresAt'
  | 'assignedUserId'
  | 'version'
>;

/** Keeps Redis' copies of codes in step with the database. A copy is never the truth: the commit decides. */
export class CodeCopyService {
  private readonly load: RedisScript;
  private readonly evictScript: RedisScript;
  private readonly note: RedisScript;

  constructor(
    private readonly redis: Redis,
    private readonly copyTtlMs: number,
  ) {
    this.load = new RedisScript(redis, 'load-codes');
    this.evictScript = new RedisScript(redis, 'evict-code');
    this.note = new RedisScript(redis, 'note-unknown-code');
  }

  /** Stores copies of codes as read from the primary after `epoch` was, unless there is another epoch by now. */
  async store(tenantId: string, copies: readonly CodeCopy[], epoch: string): Promise<void> {
    if (copies.length === 0) return;
    const keys = copies.map((copy) => codeKeys.copy(tenantId, copy.digest));
    await this.load.run(
      [codeKeys.epoch(tenantId), ...keys],
      [epoch, this.copyTtlMs, ...copies.flatMap(valuesOf)],
    );
  }

  /** What Redis says of a code; null where it has no copy. */
  async find(tenantId: string, digest: string): Promise<ShownCopy | null> {
    const fields = await answered(this.redis.hgetall(codeKeys.copy(tenantId, digest)));
    const { status, used, use_limit: useLimit, version } = fields;
    if (status === undefined) return null;
    return { status, used: Number(used), useLimit: Number(useLimit), version: Number(version) };
  }

  /** Whether a copy under one of these digests says that the code is this user's. */
  async isAssigned(tenantId: string, digests: readonly string[], userId: Id): Promise<boolean> {
    const keys = digests.map((digest) => codeKeys.copy(tenantId, digest));
    const assignees = await Promise.all(
      keys.map(async (key) => answered(this.redis.hget(key, 'assigned_user_id'))),
    );
    return assignees.includes(userId);
  }

  /** After a change was committed: the next attempt loads the code again. */
  async evict(tenantId: string, digest: string, version: number): Promise<void> {
    await this.evictScript.run([codeKeys.copy(tenantId, digest)], [version, VERSION_FLOOR_MS]);
  }

  /** Remembers that a digest is no code, unless codes were added since `epoch` was read. */
  async noteUnknown(tenantId: string, digest: string, epoch: string): Promise<void> {
    const keys = [codeKeys.unknown(tenantId), codeKeys.epoch(tenantId)];
    await this.note.run(keys, [digest, epoch, UNKNOWN_TTL_MS, UNKNOWN_CAP]);
  }

  /**
   * After codes were added: forgets which digests are no codes. The epoch gets a value that was never there before: a
   * counter could come back to an old one after Redis was emptied.
   */
  async bumpEpoch(tenantId: string): Promise<void> {
    const change = this.redis.multi().set(codeKeys.epoch(tenantId), randomUUID());
    await answered(change.del(codeKeys.unknown(tenantId)).exec());
  }

  /** The epoch, made if there is none. */
  async epoch(tenantId: string): Promise<string> {
    const made = randomUUID();
    return (await answered(this.redis.set(codeKeys.epoch(tenantId), made, 'NX', 'GET'))) ?? made;
  }
}

/** In the order of FIELDS in `load-codes.lua`. */
function valuesOf(copy: CodeCopy): (string | number)[] {
  return [copy.version, copy.id, copy.campaignId, copy.batchId, ...stateOf(copy)];
}

/** What guards judge a code by, in the order in which scripts take it. */
export function stateOf(copy: CodeCopy): (string | number)[] {
  return [
    copy.status,
    copy.useLimit,
    copy.used,
    copy.startsMs,
    copy.expiresMs,
    copy.assignedUserId,
    copy.soleUserId,
  ];
}

/**
 * The copy of a code as read from the primary.
 * @param soleUserId who used a single-use code up; lets a refusal be answered without the database
 */
export function copyOf(code: CopiedCode, soleUserId: string | null = null): CodeCopy {
  return {
    id: code.id,
    digest: code.codeDigest,
    campaignId: code.campaignId,
    batchId: code.batchId,
    status: code.status,
    useLimit: code.useLimit,
    used: code.used,
    version: code.version,
    startsMs: code.startsAt?.getTime() ?? '',
    expiresMs: code.expiresAt?.getTime() ?? '',
    assignedUserId: code.assignedUserId ?? '',
    soleUserId: soleUserId ?? '',
  };
}
