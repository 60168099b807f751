import type { CodeCopyService } from '../codes/code-copy.service.js';
import type { CodeRecognizer } from '../codes/code-recognizer.service.js';
import type { RateLimitService } from '../limits/rate-limit.service.js';
import type { RowCheck } from '../platform/database/row-check.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { AbortService } from '../redemption/commit/abort.service.js';
import { ClaimChecks } from './claim-checks.js';
import { DigestChecks } from './digest-checks.js';
import { CopyChecks } from './copy-checks.js';
import type { DatabaseChecks, RedisChecks } from './drift.js';
import { MarkerChecks } from './marker-checks.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';
import { statementChecks } from './row-checks.js';
import type { Rows } from './rows.js';
import { UnknownChecks } from './unknown-checks.js';
import { WindowChecks } from './window-checks.js';

/** Everything that the database alone can be judged by. */
export function databaseChecks(
  rows: Rows,
  recognizer: CodeRecognizer,
  rowChecks: readonly RowCheck[],
): DatabaseChecks[] {
  return [...statementChecks(rows, rowChecks), new DigestChecks(rows, recognizer)];
}

export interface RedisCheckParts {
  readonly redis: ReconciliationRedis;
  readonly rows: Rows;
  readonly aborts: Pick<AbortService, 'abort'>;
  readonly copies: Pick<CodeCopyService, 'bumpEpoch'>;
  readonly lines: Pick<ProductLineService, 'find'>;
  readonly limits: RateLimitService;
}

/** Everything that Redis holds; claims first, because what closes them drops copies too. */
export function redisChecks(parts: RedisCheckParts): RedisChecks[] {
  const { redis, rows } = parts;
  return [
    new ClaimChecks(redis, rows, parts.aborts),
    new CopyChecks(redis, rows),
    new MarkerChecks(redis, rows),
    new UnknownChecks(redis, rows, parts.copies),
    new WindowChecks(redis, parts.lines, parts.limits),
  ];
}
