import type { CodeCopyService } from '../codes/code-copy.service.js';
import type { CodeRecognizer } from '../codes/code-recognizer.service.js';
import type { RateLimitService } from '../limits/rate-limit.service.js';
import type { Clock } from '../platform/clock.js';
import type { RowCheck } from '../platform/database/row-check.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { SettlementService } from '../redemption/commit/settlement.service.js';
import { ClaimChecks } from './claim-checks.js';
import { CodeChecks } from './code-checks.js';
import { DigestChecks } from './digest-checks.js';
import { CopyChecks } from './copy-checks.js';
import type { DatabaseChecks, RedisChecks } from './drift.js';
import { GrantChecks } from './grant-checks.js';
import { BudgetChecks, UserLimitChecks } from './limit-checks.js';
import { MarkerChecks } from './marker-checks.js';
import { OutboxChecks } from './outbox-checks.js';
import { QuotaChecks } from './quota-checks.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';
import { RedemptionChecks } from './redemption-checks.js';
import { RewardChecks } from './reward-checks.js';
import { StatementCheck } from './row-checks.js';
import type { Rows } from './rows.js';
import { UnknownChecks } from './unknown-checks.js';
import { UsageChecks } from './usage-checks.js';
import { WindowChecks } from './window-checks.js';

/** Everything that the database alone can be judged by. */
export function databaseChecks(
  rows: Rows,
  clock: Clock,
  retentionMs: number,
  recognizer: CodeRecognizer,
  rowChecks: readonly RowCheck[],
): DatabaseChecks[] {
  return [
    ...rowChecks.map((check) => new StatementCheck(rows, check)),
    new CodeChecks(rows),
    new DigestChecks(rows, recognizer),
    new QuotaChecks(rows),
    new UsageChecks(rows),
    new UserLimitChecks(rows, clock, retentionMs),
    new BudgetChecks(rows, clock, retentionMs),
    new RedemptionChecks(rows),
    new RewardChecks(rows),
    new GrantChecks(rows),
    new OutboxChecks(rows),
  ];
}

export interface RedisCheckParts {
  readonly redis: ReconciliationRedis;
  readonly rows: Rows;
  readonly settlement: Pick<SettlementService, 'abort'>;
  readonly copies: Pick<CodeCopyService, 'bumpEpoch'>;
  readonly lines: Pick<ProductLineService, 'find'>;
  readonly limits: RateLimitService;
}

/** Everything that Redis holds; claims first, because what closes them drops copies too. */
export function redisChecks(parts: RedisCheckParts): RedisChecks[] {
  const { redis, rows } = parts;
  return [
    new ClaimChecks(redis, rows, parts.settlement),
    new CopyChecks(redis, rows),
    new MarkerChecks(redis, rows),
    new UnknownChecks(redis, rows, parts.copies),
    new WindowChecks(redis, parts.lines, parts.limits),
  ];
}
