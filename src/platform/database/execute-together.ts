import { present } from '../assert.js';
import type { Em } from './orm.js';

/** What a writing statement answers. */
export interface Written {
  readonly affectedRows: number;
  /** As the statement set it, with `last_insert_id(…)`. */
  readonly insertId: number;
}

interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly method: 'all' | 'run';
  readonly isLast: boolean;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const waiting = new WeakMap<Em, Statement[]>();
const ended = new WeakSet<Em>();
/** Of entity managers that share the transaction of another one. */
const wholes = new WeakMap<Em, Em>();

/** From now on statements of `part` go together with those of `whole`, whose transaction it shares. */
export function sendWith(part: Em, whole: Em): void {
  wholes.set(part, whole);
}

/** A statement of a transaction that is over: sent now, it would stand by itself. */
class StatementTooLateError extends Error {
  override readonly name = 'StatementTooLateError';

  constructor() {
    super('The transaction of this statement has ended.');
  }
}

/**
 * Rows of a statement that goes to the server together with all others of the same turn of the event loop, in the
 * order in which they were asked for. On the hot path the way to the server and back costs more than the statement.
 * Each still runs by itself, with a snapshot of its own; the first that fails ends the rest.
 */
export async function queryTogether<Row>(em: Em, sql: string, params: readonly unknown[]): Promise<Row[]> {
  return enqueue<Row[]>(em, sql, params, 'all');
}

/** As {@link queryTogether}, for statements that write. */
export async function writeTogether(em: Em, sql: string, params: readonly unknown[]): Promise<Written> {
  return enqueue<Written>(em, sql, params, 'run');
}

/** As {@link writeTogether}, behind all others of the message: what it locks is locked last. */
export async function writeLast(em: Em, sql: string, params: readonly unknown[]): Promise<Written> {
  return enqueue<Written>(em, sql, params, 'run', true);
}

/**
 * The transaction of this entity manager is about to end. What has not been sent never will be: behind a ROLLBACK it
 * would be committed by itself. What is on its way is answered before the ROLLBACK or COMMIT, which comes behind it.
 * @throws StatementTooLateError from {@link queryTogether} and {@link writeTogether} to callers that still wait
 * @returns whether something was still waiting
 */
export function endTogether(em: Em): boolean {
  ended.add(em);
  const statements = waiting.get(em) ?? [];
  waiting.delete(em);
  for (const { reject } of statements) reject(new StatementTooLateError());
  return statements.length > 0;
}

async function enqueue<Result>(
  asking: Em,
  sql: string,
  params: readonly unknown[],
  method: Statement['method'],
  isLast = false,
): Promise<Result> {
  const em = wholes.get(asking) ?? asking;
  return new Promise<Result>((resolve, reject) => {
    const statement: Statement = {
      sql,
      params,
      method,
      isLast,
      resolve: resolve as Statement['resolve'],
      reject,
    };
    if (ended.has(em)) {
      reject(new StatementTooLateError());
      return;
    }
    const others = waiting.get(em);
    if (others !== undefined) {
      others.push(statement);
      return;
    }
    const statements = [statement];
    waiting.set(em, statements);
    setImmediate(() => {
      // The end of the transaction has taken them away.
      if (waiting.get(em) !== statements) return;
      waiting.delete(em);
      void send(em, statements);
    });
  });
}

async function send(em: Em, asked: readonly Statement[]): Promise<void> {
  const statements = asked.toSorted((a, b) => Number(a.isLast) - Number(b.isLast));
  try {
    const results = maySendSeveral(em) ? await sendAtOnce(em, statements) : await sendInTurn(em, statements);
    for (const [at, statement] of statements.entries()) statement.resolve(results[at]);
  } catch (error) {
    for (const statement of statements) statement.reject(error);
  }
}

function maySendSeveral(em: Em): boolean {
  return em.config.get('multipleStatements') === true;
}

async function sendInTurn(em: Em, statements: readonly Statement[]): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const { sql, params, method } of statements) results.push(await em.execute(sql, [...params], method));
  return results;
}

async function sendAtOnce(em: Em, statements: readonly Statement[]): Promise<unknown[]> {
  if (statements.length === 1) return sendInTurn(em, statements);
  const sql = statements.map((statement) => statement.sql).join(';\n');
  const results: unknown[] = await em.execute(
    sql,
    statements.flatMap((statement) => [...statement.params]),
  );
  return statements.map((_statement, at) => present(results[at], 'The result of a statement'));
}
