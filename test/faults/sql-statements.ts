/** Quoted text, comments and semicolons; the text between them is skipped. */
const TOKEN = /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|`[^`]*`|--[^\n]*|#[^\n]*|\/\*[^]*?\*\/|;/gs;

/** The statements of one message, in order. A semicolon in a text or a comment ends none. */
export function statementsOf(sql: string): string[] {
  const statements: string[] = [];
  let from = 0;
  for (const { 0: token, index } of sql.matchAll(TOKEN)) {
    if (token !== ';') continue;
    statements.push(sql.slice(from, index).trim());
    from = index + 1;
  }
  statements.push(sql.slice(from).trim());
  return statements.filter((statement) => statement !== '');
}

export const isBegin = (statement: string): boolean => /^(?:begin|start\s+transaction)\b/i.test(statement);
export const isCommit = (statement: string): boolean => /^commit\b/i.test(statement);
/** Not one back to a savepoint, behind which the transaction goes on. */
export const isRollback = (statement: string): boolean => /^rollback\b(?!\s+to\b)/i.test(statement);
/** Whether the statement adds rows to the table. */
export function insertsInto(table: string, statement: string): boolean {
  return new RegExp(String.raw`^insert\s+into\s+\`?${table}\`?[\s(]`, 'i').test(statement);
}
