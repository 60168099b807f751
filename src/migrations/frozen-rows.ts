import { mysqlErrno } from '../platform/database/sql-errors.js';
import { StartError } from '../platform/errors.js';
import { OWN_COMMAND } from '../platform/own-command.js';
import type { Execute } from './row-steps.js';

const CHANGES = ['update', 'delete'] as const;

/** Of servers that do not let this account make a trigger: what stands in the way, and the cure. */
const CURES: Readonly<Record<number, string>> = {
  1142: 'the account of DATABASE_URL lacks the privilege TRIGGER. Grant it: `GRANT TRIGGER ON <database>.* TO <account>`',
  1227: 'the account of DATABASE_URL lacks a privilege that the server asks for. Migrate with an account that has SUPER',
  1419: 'it writes a binary log and does not trust the account. Set `log_bin_trust_function_creators = 1` on the server, or migrate with an account that has SUPER',
};

/**
 * Has the database itself refuse to change or to delete rows of a table, by triggers. TRUNCATE, and a server whose
 * triggers were dropped, still can; reconciliation finds what is missing then.
 *
 * @throws StartError which names the cure where the server forbids triggers
 */
export async function forbidChanges(
  execute: Execute,
  table: string,
  advice = ': add a reversing one',
): Promise<void> {
  for (const change of CHANGES) {
    const message = `Rows of ${table} are never changed${advice}.`;
    const body = `signal sqlstate '45000' set message_text = '${message}'`;
    const sql = `create trigger if not exists tr_${table}_${change} before ${change} on ${table} for each row ${body}`;
    try {
      await execute(sql, []);
    } catch (error) {
      throw refusalOf(error) ?? error;
    }
  }
}

export async function permitChanges(execute: Execute, table: string): Promise<void> {
  for (const change of CHANGES) await execute(`drop trigger if exists tr_${table}_${change}`, []);
}

function refusalOf(error: unknown): StartError | null {
  const cure = CURES[mysqlErrno(error) ?? 0];
  if (cure === undefined) return null;
  const message = `The database server forbids triggers, which keep entries of the ledger and of the audit log from being changed: ${cure}, then run \`${OWN_COMMAND} migrate\` again.`;
  return new StartError(message, { cause: error });
}
