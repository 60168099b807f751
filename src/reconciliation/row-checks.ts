import type { RowCheck, RowFacts } from '../platform/database/row-check.js';
import type { Check, DatabaseChecks, Finding } from './drift.js';
import type { Rows } from './rows.js';

type Found = Finding['details'] & { readonly id: string; readonly kinds: string; readonly subject?: string };

/** The checks of all features; those that share their facts are judged by one statement. */
export function statementChecks(rows: Rows, checks: readonly RowCheck[]): DatabaseChecks[] {
  const byFacts = Map.groupBy(checks, ({ facts }) => facts);
  return [...byFacts].map(([facts, own]) => new StatementChecks(rows, facts, own));
}

class StatementChecks implements DatabaseChecks {
  readonly name: string;
  readonly checks: readonly Check[];
  private readonly sql: string;

  constructor(
    private readonly rows: Rows,
    private readonly facts: RowFacts,
    own: readonly RowCheck[],
  ) {
    this.name = facts.name;
    this.checks = own.map(({ kind, invariant, means, remedy }) => ({ kind, invariant, means, remedy }));
    const kinds = own.map(({ kind, wrong = 'true' }) => `if(${wrong}, '${kind}', null)`);
    const anyWrong = own.map(({ wrong = 'true' }) => `(${wrong})`).join(' or ');
    this.sql = `select f.*, concat_ws(' ', ${kinds.join(', ')}) as kinds from (${facts.sql}) f where ${anyWrong}`;
  }

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.pages(tenantId, this.facts.rows);
  }

  async judge(tenantId: string, items: readonly string[]): Promise<Finding[]> {
    const { rows } = this.facts;
    const atOnce = (rows === 'TENANT' ? undefined : rows.atOnce) ?? items.length;
    const found: Found[] = [];
    for (let at = 0; at < items.length; at += atOnce)
      found.push(...(await this.rows.judged<Found>(tenantId, this.sql, items.slice(at, at + atOnce))));
    return found.flatMap(({ id, subject = id, kinds, ...facts }) => {
      const shown = Object.entries(facts).filter(([name]) => !/^(?:is|has)[A-Z]/.test(name));
      const details = Object.fromEntries(shown);
      return kinds.split(' ').map((kind) => ({ kind, item: id, subject, evidence: '', details }));
    });
  }
}
