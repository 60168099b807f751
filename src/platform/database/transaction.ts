import { setTimeout as pause } from 'node:timers/promises';
import type { IsolationLevel, MikroORM } from '@mikro-orm/core';
import { invariant, present } from '../assert.js';
import type { Logger } from '../observability/log.js';
import { traced } from '../observability/tracing.js';
import { ChangeRecord, type Target } from '../recording/change-record.js';
import { currentOperation, outsideOperation, type CurrentOperation } from '../recording/current-operation.js';
import { operationIsAbout, recordChanges } from '../recording/recording-em.js';
import { systemEm, tenantEm, tenantPart, type Em } from './orm.js';
import { endTogether, sendWith } from './execute-together.js';
import { SessionGuard } from './session-guard.js';
import { StoreUnavailableError } from '../errors.js';
import {
  AbortedTransactionError,
  CommitUnknownError,
  isDuplicateKey,
  isLostBeforeCommit,
  isRetryable,
  isServerAway,
  mysqlErrno,
} from './sql-errors.js';

const SPAN = { 'db.system.name': 'mysql' };
const ATTEMPTS_DEFAULT = 4;
/** The first pause is at most this long; each further one at most twice as long as the one before. */
const PAUSE_FIRST_MS = 10;
/** Runs of work that reads back what stands in its way. */
const READ_BACK_RUNS_MAX = 4;

/** How one transaction differs from the others of its process. */
interface BeginOptions {
  /** Missing means that of the session, READ COMMITTED. */
  readonly isolationLevel?: IsolationLevel;
}

/** Thrown by work of {@link Transactions.runReadingBack} that has to read what is there after all. */
export class ReadBackNeededError extends Error {
  override readonly name = 'ReadBackNeededError';
}

/** Keeps what operations have changed. */
export interface ChangeTrail {
  /**
   * Writes what the transaction has changed into it, before its COMMIT.
   * @param tenantId of the transaction; null for one across tenants
   */
  write(em: Em, tenantId: string | null, operation: CurrentOperation, record: ChangeRecord): Promise<void>;
}

export interface TransactionOptions {
  /** How often the whole is tried before its error is the caller's. */
  readonly attempts?: number;
  readonly log?: Logger;
  /** Called before each further attempt, for the metrics and for tests. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
  /** Without it nothing is recorded; the transactions of redemptions have none. */
  readonly trail?: ChangeTrail;
}

/** What belongs to the end of a unit of work. */
export interface WorkEnd {
  /** Writes what comes last, by the entity manager that commits: what it locks is locked for the COMMIT only. */
  beforeCommit(em: Em): Promise<void>;
  /** When the commit stands. Never throws, never waits. */
  afterCommit(): void;
}

/** Runs outside the transaction, and never throws. */
type Afterwards = () => Promise<void>;

interface UnitOfWork {
  /** Of a nested part: dropped when the part fails, else taken over by the unit around it. */
  readonly ends: WorkEnd[];
  /** Shared with all parts. */
  readonly afterwards: Afterwards[];
  /** Of what is changed, where an operation is recorded; of a part as its ends. */
  readonly record: ChangeRecord | null;
}

const units = new WeakMap<Em, UnitOfWork>();
/** Entity managers that share a transaction with those of other tenants. */
const parts = new WeakSet<Em>();

function unitOf(em: Em): UnitOfWork {
  return present(units.get(em), 'The unit of work of this entity manager');
}

/** Adds to the end of the unit of work, or of the nested part, that this entity manager was made for. */
export function atEndOf(em: Em, end: WorkEnd): void {
  unitOf(em).ends.push(end);
}

/**
 * For what has to be kept of a failure: runs when the whole transaction has ended, however it ended, and its locks are
 * free; before its caller learns of the end. After each attempt, so that a second run must change nothing.
 */
export function afterwardsOf(em: Em, step: Afterwards): void {
  unitOf(em).afterwards.push(step);
}

/**
 * Runs units of work. After a deadlock or a lock timeout nothing continues inside a transaction (`session-guard.ts`
 * sees to it, also where the error was caught): it is undone, its entity manager thrown away, and the whole run
 * again. The same where the connection was lost before COMMIT was sent: what it did is undone, and the server may well
 * be there. So the work may run several times, and must keep nothing outside of it but what it returns.
 */
export class Transactions {
  constructor(
    private readonly orm: MikroORM,
    private readonly options: TransactionOptions = {},
  ) {}

  /**
   * One transaction, READ COMMITTED unless asked for otherwise, on a fresh entity manager: of the tenant, or of none for
   * work across tenants.
   * @throws CommitUnknownError when the connection broke during COMMIT; the transaction may stand.
   */
  async run<T>(tenantId: string | null, work: (em: Em) => Promise<T>, begin: BeginOptions = {}): Promise<T> {
    const attempts = this.options.attempts ?? ATTEMPTS_DEFAULT;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await traced('transaction', SPAN, async () => this.once(tenantId, work, begin));
      } catch (error) {
        if (attempt >= attempts || !mayRetry(error)) throw error;
        this.options.log?.debug({ errno: mysqlErrno(error), attempt }, 'transaction is run again');
        this.options.onRetry?.(error, attempt);
        await pause(Math.random() * PAUSE_FIRST_MS * 2 ** (attempt - 1));
      }
    }
  }

  /**
   * As {@link run}, for work of several tenants in one transaction: each has an entity manager of its own, which sees no
   * rows of the others. Statements that are asked for together are sent together. For work that is not recorded and has
   * no nested parts.
   */
  async runForSeveral<T>(
    tenantIds: readonly string[],
    work: (ems: ReadonlyMap<string, Em>) => Promise<T>,
  ): Promise<T> {
    return this.run(null, async (whole) => {
      const unit = unitOf(whole);
      invariant(unit.record === null, 'What several tenants change in one transaction is not recorded.');
      const ems = new Map(tenantIds.map((tenantId) => [tenantId, tenantPart(whole, tenantId)]));
      for (const em of ems.values()) {
        units.set(em, unit);
        parts.add(em);
        sendWith(em, whole);
      }
      const result = await work(ems);
      for (const em of ems.values()) await em.flush();
      return result;
    });
  }

  /**
   * As {@link run}, for work whose keys tell what it has done: after a duplicate key, which others may insert at any
   * moment, and after a COMMIT without a verdict it runs again, and reads first what is there.
   * @throws StoreUnavailableError
   */
  async runReadingBack<T>(tenantId: string, work: (em: Em, readsBack: boolean) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.run(tenantId, async (em) => work(em, attempt > 1));
      } catch (error) {
        if (isWorthReadingBack(error) && attempt < READ_BACK_RUNS_MAX) continue;
        throw isServerAway(error) ? new StoreUnavailableError('database', { cause: error }) : error;
      }
    }
  }

  /**
   * As {@link runReadingBack}, for what a caller waits for: rows that others held through all attempts are as good as a
   * database that does not answer. Nothing was written, and the same call may be sent again.
   * @throws StoreUnavailableError
   */
  async runForCaller<T>(tenantId: string, work: (em: Em, readsBack: boolean) => Promise<T>): Promise<T> {
    try {
      return await this.runReadingBack(tenantId, work);
    } catch (error) {
      throw isRetryable(error) ? new StoreUnavailableError('database', { cause: error }) : error;
    }
  }

  /**
   * A part that can fail by itself: a savepoint. Caught by the caller, its failure undoes this part only; a failure
   * of the caller undoes all. The part has an entity manager of its own and reads its entities again, so that what it
   * changed in memory is forgotten with it; it must not change entities of the outer one. Its events are written with
   * those of the outer one, or not at all.
   */
  async nested<T>(em: Em, work: (inner: Em) => Promise<T>): Promise<T> {
    invariant(!parts.has(em), 'A savepoint would undo what other tenants have asked for meanwhile.');
    const { ends, afterwards, record } = unitOf(em);
    // What the outer work has changed so far belongs before the savepoint, or undoing the part would undo it too.
    await em.flush();
    const part: UnitOfWork = { ends: [], afterwards, record: record === null ? null : new ChangeRecord() };
    const result = await em.transactional(async (inner) => this.part(inner, part, work), { clear: true });
    ends.push(...part.ends);
    if (part.record !== null) record?.take(part.record);
    return result;
  }

  /**
   * Work that may be a transaction of its own (without an entity manager) or a part of the caller's. After a duplicate
   * key, which others may insert at any moment, it runs again: it must read first what is there.
   * @throws StoreUnavailableError from a transaction of its own; also where it has waited in vain for rows of others
   */
  async composed<T>(em: Em | null, tenantId: string, work: (em: Em) => Promise<T>): Promise<T> {
    if (em === null) return this.runForCaller(tenantId, work);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.nested(em, work);
      } catch (error) {
        if (!isDuplicateKey(error) || attempt >= READ_BACK_RUNS_MAX) throw error;
      }
    }
  }

  /** For an operation that changes no row, such as the issue of a token: has it recorded all the same. */
  async recordOperation(tenantId: string, target: Target): Promise<void> {
    if (currentOperation() !== null) await this.run(tenantId, async (em) => operationIsAbout(em, target));
  }

  /** A statement that still waits when its part ends would be sent after the savepoint was undone, and would stand. */
  private async part<T>(inner: Em, unit: UnitOfWork, work: (inner: Em) => Promise<T>): Promise<T> {
    units.set(inner, unit);
    if (unit.record !== null) recordChanges(inner, unit.record);
    try {
      const result = await work(inner);
      await inner.flush();
      invariant(!endTogether(inner), 'A nested part was to end while statements of it waited.');
      return result;
    } finally {
      endTogether(inner);
    }
  }

  private async once<T>(
    tenantId: string | null,
    work: (em: Em) => Promise<T>,
    begin: BeginOptions,
  ): Promise<T> {
    const operation = currentOperation();
    if (operation !== null && this.options.trail === undefined)
      return outsideOperation(async () => this.once(tenantId, work, begin));
    const em = tenantId === null ? systemEm(this.orm) : tenantEm(this.orm, tenantId);
    const record = operation === null ? null : new ChangeRecord();
    const unit: UnitOfWork = { ends: [], afterwards: [], record };
    units.set(em, unit);
    if (record !== null) recordChanges(em, record);
    try {
      await em.begin(begin);
      const result = await this.committed(em, work, async () => {
        if (operation !== null || unit.ends.length > 0) await em.flush();
        // Before the events: their counter is the last lock of every transaction.
        if (operation !== null) await this.record(em, tenantId, operation);
        for (const end of unit.ends) await end.beforeCommit(em);
      });
      for (const end of unit.ends) end.afterCommit();
      return result;
    } finally {
      for (const step of unit.afterwards) await step();
    }
  }

  private async record(em: Em, tenantId: string | null, operation: CurrentOperation): Promise<void> {
    const { record } = unitOf(em);
    if (record === null) return;
    record.isClosed = true;
    if (!record.isEmpty && operation.by !== null)
      await this.options.trail?.write(em, tenantId, operation, record);
  }

  private async committed<T>(
    em: Em,
    work: (em: Em) => Promise<T>,
    beforeCommit: () => Promise<void>,
  ): Promise<T> {
    try {
      const result = await work(em);
      await beforeCommit();
      invariant(!endTogether(em), 'A transaction was to be committed while statements of it waited.');
      await em.commit();
      return result;
    } catch (error) {
      endTogether(em);
      const abortCause = await abortCauseOf(em);
      // The reason is what counts; a connection that cannot even roll back is gone, and the transaction with it.
      await em.rollback().catch(() => undefined);
      throw abortCause === null || mayRetry(error) ? error : new AbortedTransactionError(abortCause);
    }
  }
}

/** Nothing of the transaction stands, and another attempt may go well. */
function mayRetry(error: unknown): boolean {
  return isRetryable(error) || isLostBeforeCommit(error);
}

function isWorthReadingBack(error: unknown): boolean {
  return isDuplicateKey(error) || error instanceof CommitUnknownError || error instanceof ReadBackNeededError;
}

interface TransactionHandle {
  getExecutor(): { provideConnection<T>(use: (session: object) => Promise<T>): Promise<T> };
}

/** What aborted the open transaction, also where the work caught that error and threw another one. */
async function abortCauseOf(em: Em): Promise<unknown> {
  const handle = em.getTransactionContext<TransactionHandle>();
  if (handle === undefined) return null;
  return handle
    .getExecutor()
    .provideConnection(async (session) => SessionGuard.of(session)?.abortCause ?? null);
}
