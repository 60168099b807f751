import { randomInt } from 'node:crypto';
import type { RequiredEntityData } from '@mikro-orm/core';
import type { LimitScope } from '../../limits/rate-limit.service.js';
import type { Clock } from '../../platform/clock.js';
import type { Em } from '../../platform/database/orm.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import { networkOf } from '../../platform/network-of.js';
import type { Logger } from '../../platform/observability/log.js';
import { RareWarning } from '../../platform/observability/rare-warning.js';
import { outsideOperation } from '../../platform/recording/current-operation.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import { RefusedAttempt } from './refused-attempt.entity.js';

/** How often what was kept is written. */
const EVERY_MS = 10_000;
const MINUTE_MS = 60_000;
/** Of one user, in one interval; a flood of one user must not push out the others. */
const PER_USER_MAX = 3;
/** Of all tenants, in one interval. */
const ROWS_MAX = 2000;
const ROWS_AT_ONCE = 500;
const PRODUCT_LENGTH_MAX = 16;
const DEVICE_LENGTH_MAX = 64;

export interface RefusedEntry {
  readonly tenantId: string;
  readonly userId: Id;
  readonly productCode: string | null;
  readonly deviceId: string | null;
  readonly ip: string | null;
  readonly codeDigest: string | null;
  readonly isPreview: boolean;
  readonly refusal: RedeemRefusal;
  readonly limitedBy: LimitScope | null;
  readonly retryAfterMs: number | null;
}

type Row = RequiredEntityData<RefusedAttempt> & {
  further: number;
  readonly tenantId: string;
  readonly userId: Id;
};

interface Sample {
  readonly rows: Row[];
  /** Refusals that a row was wanted for. */
  seen: number;
}

export interface AttemptLogParts {
  readonly transactions: Pick<Transactions, 'run'>;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly log: Logger;
}

/**
 * Why attempts were refused, for staff. Written behind the answers, a sample an interval: each refusal of a tenant has
 * the same chance to be in it. So a flood costs no more memory and no more rows than a quiet day.
 */
export class AttemptLog {
  private samples = new Map<string, Sample>();
  private rows = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | null = null;
  private readonly unwritten: RareWarning;
  private readonly perTenant: number;

  /** @param perMinute rows of one tenant that this process writes in a minute; 0 keeps none */
  constructor(
    private readonly parts: AttemptLogParts,
    perMinute: number,
  ) {
    this.perTenant = Math.ceil((perMinute * EVERY_MS) / MINUTE_MS);
    this.unwritten = new RareWarning(parts.log, 'Refused attempts were not kept for staff.');
  }

  /** Whether the next refusal of this user is kept; asked first, because an entry costs more than the question. */
  wants(tenantId: string, userId: Id): boolean {
    if (this.perTenant === 0) return false;
    const sample = this.samples.get(tenantId) ?? this.begin(tenantId);
    if (sample === null) return false;
    const last = lastOfMany(sample, userId);
    if (last !== null) {
      last.further += 1;
      return false;
    }
    sample.seen += 1;
    if (sample.rows.length < this.perTenant) return this.rows < ROWS_MAX;
    return randomInt(sample.seen) < this.perTenant;
  }

  /** An entry that was wanted. */
  add({ ip, productCode, deviceId, ...entry }: RefusedEntry): void {
    const sample = this.samples.get(entry.tenantId);
    if (sample === undefined) return;
    const row: Row = {
      ...entry,
      id: this.parts.ids.next(),
      refusedAt: new Date(this.parts.clock.nowMs()),
      productCode: productCode?.slice(0, PRODUCT_LENGTH_MAX) ?? null,
      deviceId: deviceId?.slice(0, DEVICE_LENGTH_MAX) ?? null,
      address: ip === null || ip === '' ? null : networkOf(ip),
      further: 0,
    };
    if (sample.rows.length < this.perTenant) {
      sample.rows.push(row);
      this.rows += 1;
    } else sample.rows[randomInt(this.perTenant)] = row;
  }

  /**
   * Writes the sample, behind the one before: while the database hangs there is one more, within its bound. Never
   * throws: what cannot be written is given up, because the next sample is as good.
   */
  async flush(): Promise<void> {
    while (this.writing !== null) await this.writing;
    clearTimeout(this.timer);
    this.timer = undefined;
    const rows = [...this.samples.values()].flatMap((sample) => sample.rows);
    this.samples = new Map();
    this.rows = 0;
    this.writing = this.write(rows);
    await this.writing;
    this.writing = null;
  }

  private async write(rows: readonly Row[]): Promise<void> {
    try {
      for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
        await this.writeSome(rows.slice(at, at + ROWS_AT_ONCE));
    } catch (error) {
      this.unwritten.warn({ err: error, attempts: rows.length });
    }
  }

  /** What waited here while its user was erased is dropped. */
  private async writeSome(rows: readonly Row[]): Promise<void> {
    await outsideOperation(async () =>
      this.parts.transactions.run(null, async (em) => {
        const erased = await erasedAmong(em, rows);
        const kept = rows.filter(({ tenantId, userId }) => !erased.has(`${tenantId} ${userId}`));
        if (kept.length > 0) await em.insertMany(RefusedAttempt, kept);
      }),
    );
  }

  /** @returns null where the process keeps as many as it may */
  private begin(tenantId: string): Sample | null {
    if (this.rows >= ROWS_MAX) return null;
    const sample: Sample = { rows: [], seen: 0 };
    this.samples.set(tenantId, sample);
    this.timer ??= setTimeout(() => void this.flush(), EVERY_MS).unref();
    return sample;
  }
}

/** Locks the users, shared: an erasure comes before, or meets the rows. All are selected, because a row that is not would not stay locked. */
async function erasedAmong(em: Em, rows: readonly Row[]): Promise<ReadonlySet<string>> {
  const byTenant = [...Map.groupBy(rows, ({ tenantId }) => tenantId)];
  const where = byTenant.map(() => '(tenant_id = ? and id in (?))').join(' or ');
  const users = await em.execute<{ name: string; isErased: number }[]>(
    `select concat(tenant_id, ' ', id) as name, erased_at is not null as isErased
       from user force index (primary) where ${where} order by tenant_id, id lock in share mode`,
    byTenant.flatMap(([tenantId, own]) => [tenantId, own.map(({ userId }) => userId)]),
  );
  return new Set(users.flatMap(({ name, isErased }) => (isErased === 1 ? [name] : [])));
}

/** The last of a user's rows, if there are as many as may be. */
function lastOfMany({ rows }: Sample, userId: Id): Row | null {
  let count = 0;
  let last: Row | null = null;
  for (const row of rows) {
    if (row.userId !== userId) continue;
    count += 1;
    last = row;
  }
  return count < PER_USER_MAX ? null : last;
}
