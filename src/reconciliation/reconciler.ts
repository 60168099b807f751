import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../platform/clock.js';
import type { Transactions } from '../platform/database/transaction.js';
import { isStoreAway } from '../platform/failures.js';
import { outsideOperation } from '../platform/recording/current-operation.js';
import type { CheckGroup, DatabaseChecks, Finding, RedisChecks, TenantKey } from './drift.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';
import { ReportBuilder, type HeldCheck, type ReconciliationReport } from './report.js';
import type { TenantService } from '../tenancy/tenant.service.js';

/** How long a confirm, an eviction or another repair may be on its way. */
const SECOND_LOOK_MS = 2000;
/** How many suspects are kept before they are looked at again. */
const SUSPECTS_MAX = 5000;
const ITEMS_AT_ONCE = 500;

export interface ReconcilerParts {
  readonly redis: ReconciliationRedis;
  readonly tenants: Pick<TenantService, 'idPages' | 'find'>;
  readonly clock: Clock;
  readonly transactions: Pick<Transactions, 'recordOperation'>;
  readonly databaseChecks: readonly DatabaseChecks[];
  readonly redisChecks: readonly RedisChecks[];
  readonly secondLookMs?: number;
}

export interface Scope {
  /** Null looks at all tenants. */
  readonly tenantId: string | null;
  /** Mends what Redis holds. */
  readonly repair?: boolean;
  /** Only what Redis holds, by what the database says. */
  readonly redisOnly?: boolean;
  /** Called with the share that is done, from 0 to 1; of one tenant. */
  readonly progressed?: (share: number) => void;
  /** Ends the run with an error, soon. */
  readonly signal?: AbortSignal;
  /** Called for a tenant whose keys or rows cannot be read; the run continues. Without it the error ends the run. */
  readonly failed?: (tenantId: string, error: unknown) => void;
}

interface Suspect {
  readonly tenantId: string;
  readonly finding: Finding;
}

/**
 * Compares what Redis holds with what the database says, and the database with itself. A drift counts only if a second
 * look, some time later, finds it again: what is just under way is none. Memory is bounded by pages and suspects.
 */
export class Reconciler {
  constructor(private readonly parts: ReconcilerParts) {}

  async run(scope: Scope): Promise<ReconciliationReport> {
    const { clock, databaseChecks, redisChecks } = this.parts;
    const startedAt = new Date(clock.nowMs());
    const held = [
      ...(scope.redisOnly === true ? [] : checksOf(databaseChecks, 'DATABASE')),
      ...checksOf(redisChecks, 'REDIS'),
    ];
    const distinct = new Map(held.map((check) => [check.kind, check]));
    const builder = new ReportBuilder([...distinct.values()], scope.redisOnly !== true);
    const run = new Run(this.parts, scope, builder);
    if (scope.redisOnly !== true) await run.lookAtDatabase();
    await run.lookAtRedis();
    return builder.finish(scope.tenantId, startedAt, clock.nowMs() - startedAt.getTime());
  }
}

function checksOf(groups: readonly CheckGroup[], holder: HeldCheck['holder']): HeldCheck[] {
  return groups.flatMap(({ checks }) => checks.map((check) => ({ ...check, holder })));
}

class Run {
  private readonly suspects = new Map<CheckGroup, Map<string, Suspect>>();
  private suspectCount = 0;
  /** Tenants whose repair is in the audit log. */
  private readonly recorded = new Set<string>();

  constructor(
    private readonly parts: ReconcilerParts,
    private readonly scope: Scope,
    private readonly builder: ReportBuilder,
  ) {}

  async lookAtDatabase(): Promise<void> {
    for await (const tenantIds of this.tenants()) {
      for (const tenantId of tenantIds) {
        for (const [at, group] of this.parts.databaseChecks.entries()) {
          for await (const items of group.pages(tenantId)) await this.look(group, tenantId, items);
          // The keys of Redis are the last part.
          this.scope.progressed?.((at + 1) / (this.parts.databaseChecks.length + 1));
        }
      }
    }
    await this.lookAgain();
  }

  /** One walk over the keys, whatever they are; a walk for each kind would cost as much each. */
  async lookAtRedis(): Promise<void> {
    const known = new Map<string, boolean>();
    for await (const keys of this.parts.redis.keys(this.scope.tenantId)) {
      for (const [tenantId, own] of Map.groupBy(keys, (key) => key.tenantId)) {
        if (!known.has(tenantId)) known.set(tenantId, await this.isTenant(tenantId));
        // Other programs, and other installations, may share the server.
        if (known.get(tenantId) === true) {
          await this.guarded(tenantId, async () => this.lookAtKeys(tenantId, own));
        }
      }
    }
    await this.lookAgain();
  }

  private async lookAtKeys(tenantId: string, keys: readonly TenantKey[]): Promise<void> {
    for (const group of this.parts.redisChecks) {
      const own = keys.filter(({ kind }) => group.keyKinds.includes(kind));
      if (own.length === 0) continue;
      for await (const items of group.pages(tenantId, own)) await this.look(group, tenantId, items);
    }
  }

  private async look(group: CheckGroup, tenantId: string, items: readonly string[]): Promise<void> {
    this.scope.signal?.throwIfAborted();
    if (items.length === 0) return;
    this.builder.look(group.name, items.length);
    const suspects = this.suspects.get(group) ?? new Map<string, Suspect>();
    this.suspects.set(group, suspects);
    for (const finding of await judged(group, tenantId, items)) {
      const key = suspectKey(tenantId, finding);
      if (suspects.has(key)) continue;
      suspects.set(key, { tenantId, finding });
      this.suspectCount += 1;
    }
    if (this.suspectCount >= SUSPECTS_MAX) await this.lookAgain();
  }

  /** The second look, at just the suspects. */
  private async lookAgain(): Promise<void> {
    if (this.suspectCount === 0) return;
    const { secondLookMs = SECOND_LOOK_MS } = this.parts;
    const { signal } = this.scope;
    await pause(secondLookMs, undefined, signal === undefined ? {} : { signal });
    for (const [group, suspects] of this.suspects) {
      for (const [tenantId, own] of Map.groupBy(suspects.values(), (suspect) => suspect.tenantId)) {
        await this.guarded(tenantId, async () => {
          const items = [...new Set(own.map(({ finding }) => finding.item))];
          const again = await judged(group, tenantId, items);
          const drifts = again.filter((finding) => suspects.has(suspectKey(tenantId, finding)));
          await this.settle(group, tenantId, drifts);
        });
      }
    }
    this.suspects.clear();
    this.suspectCount = 0;
  }

  private async settle(group: CheckGroup, tenantId: string, drifts: readonly Finding[]): Promise<void> {
    const left = await this.repaired(group, tenantId, drifts);
    for (const drift of drifts) {
      this.builder.add(tenantId, drift, left !== null && !left.has(suspectKey(tenantId, drift)));
    }
  }

  /** @returns what is left of them after a repair; null where nothing was to be mended */
  private async repaired(
    group: CheckGroup,
    tenantId: string,
    drifts: readonly Finding[],
  ): Promise<ReadonlySet<string> | null> {
    const mender = this.parts.redisChecks.find((each) => each === group);
    if (this.scope.repair !== true || mender === undefined || drifts.length === 0) return null;
    await this.record(tenantId);
    for (const some of slices(drifts)) await outsideOperation(async () => mender.repair(tenantId, some));
    const items = [...new Set(drifts.map(({ item }) => item))];
    const after = await judged(group, tenantId, items);
    return new Set(after.map((finding) => suspectKey(tenantId, finding)));
  }

  /** A repair that a person has asked for changes no row that would be recorded by itself. */
  private async record(tenantId: string): Promise<void> {
    if (this.recorded.has(tenantId)) return;
    this.recorded.add(tenantId);
    await this.parts.transactions.recordOperation(tenantId, { type: 'tenant', id: tenantId });
  }

  /** What is wrong with one tenant does not end the run for the others; a store that is away does. */
  private async guarded(tenantId: string, work: () => Promise<void>): Promise<void> {
    const { failed, signal } = this.scope;
    try {
      await work();
    } catch (error) {
      if (failed === undefined || isStoreAway(error) || signal?.aborted === true) throw error;
      failed(tenantId, error);
    }
  }

  private async *tenants(): AsyncGenerator<readonly string[]> {
    if (this.scope.tenantId === null) yield* this.parts.tenants.idPages();
    else yield [this.scope.tenantId];
  }

  private async isTenant(tenantId: string): Promise<boolean> {
    return this.scope.tenantId === tenantId || (await this.parts.tenants.find(tenantId)) !== null;
  }
}

async function judged(group: CheckGroup, tenantId: string, items: readonly string[]): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const some of slices(items)) found.push(...(await group.judge(tenantId, some)));
  return found;
}

function slices<T>(items: readonly T[]): (readonly T[])[] {
  const count = Math.ceil(items.length / ITEMS_AT_ONCE);
  return Array.from({ length: count }, (_, at) => items.slice(at * ITEMS_AT_ONCE, (at + 1) * ITEMS_AT_ONCE));
}

/** Also what has changed in between and is wrong in another way is something else. */
function suspectKey(tenantId: string, { kind, item, subject, evidence }: Finding): string {
  return `${tenantId} ${kind} ${item} ${subject} ${evidence}`;
}
