import { VERSION_FLOOR_MS, codeKeys, stateOf, type CodeCopy, type CodeCopyRedis } from './code-copy.redis.js';
import type { Code } from './code.entity.js';

/** The keys and values that scripts of other features take, and how long a version outlives its copy. */
export { VERSION_FLOOR_MS, codeKeys, stateOf, type CodeCopy };

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
  constructor(private readonly copies: CodeCopyRedis) {}

  /** Stores copies of codes as read from the primary. */
  async store(tenantId: string, copies: readonly CodeCopy[]): Promise<void> {
    await this.copies.store(tenantId, copies);
  }

  /** After a change was committed: the next attempt loads the code anew. */
  async evict(tenantId: string, digest: string, version: number): Promise<void> {
    await this.copies.evict(tenantId, digest, version);
  }

  /** Remembers that a digest is no code, unless codes were added since `epoch` was read. */
  async noteUnknown(tenantId: string, digest: string, epoch: string): Promise<void> {
    await this.copies.noteUnknown(tenantId, digest, epoch);
  }

  /** After codes were added: forgets which digests are no codes. */
  async bumpEpoch(tenantId: string): Promise<void> {
    await this.copies.raiseEpoch(tenantId);
  }

  async epoch(tenantId: string): Promise<string> {
    return this.copies.epoch(tenantId);
  }
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
