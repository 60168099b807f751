import type { CodeCopyService } from '../codes/code-copy.service.js';
import { finding, type Check, type Finding, type RedisChecks } from './drift.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';
import type { Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'CODE_WRONGLY_UNKNOWN',
    invariant: 'I3',
    means: 'Redis marks a code as unknown, and the database has it.',
    remedy: 'Repair drops the list of unknown codes, which expires after a minute anyway.',
  },
] as const satisfies readonly Check[];

const SELECT_CODES = `select cast(id as char) as id, code_digest as digest from code
   where tenant_id = ? and code_digest in (?) and deleted_at is null`;

/** What was remembered as no code. */
export class UnknownChecks implements RedisChecks {
  readonly name = 'unknownCodes';
  readonly checks = CHECKS;
  readonly keyKinds = ['unknown'];

  constructor(
    private readonly redis: ReconciliationRedis,
    private readonly rows: Rows,
    private readonly copies: Pick<CodeCopyService, 'bumpEpoch'>,
  ) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.redis.unknownDigests(tenantId);
  }

  async judge(tenantId: string, digests: readonly string[]): Promise<Finding[]> {
    const codes = await this.rows.read<{ id: string; digest: string }>(tenantId, SELECT_CODES, [digests]);
    if (codes.length === 0) return [];
    const nowMs = await this.redis.nowMs(tenantId);
    const until = await this.redis.unknownUntil(
      tenantId,
      codes.map(({ digest }) => digest),
    );
    return codes.flatMap(({ id, digest }, at) =>
      (until[at] ?? 0) > nowMs ? [finding('CODE_WRONGLY_UNKNOWN', digest, {}, id)] : [],
    );
  }

  /** The new epoch also stops look-ups under way that would remember the same again. */
  async repair(tenantId: string): Promise<void> {
    await this.copies.bumpEpoch(tenantId);
  }
}
