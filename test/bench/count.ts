/** A code at the end of a run. */
export interface CountedCode {
  readonly codeId: string;
  /** 0 means unlimited. */
  readonly useLimit: number;
  /** What the code's own counter says. */
  readonly used: number;
  /** False for codes that no user may redeem, such as expired ones. */
  readonly isOpen: boolean;
}

/** A committed redemption. */
export interface CountedRow {
  readonly id: string;
  readonly codeId: string;
  readonly userId: string;
}

/** One request of a client that redeemed a code, and its answer. */
export interface CountedAttempt {
  /** Null for a code that does not exist. */
  readonly codeId: string | null;
  readonly userId: string;
  /** The redemption answered as committed or processing; null when refused. */
  readonly redemptionId: string | null;
}

export interface Deviations {
  /** Rows of a code above its limit; of a code that no user may redeem, all. */
  readonly rowsBeyondLimit: number;
  /** Rows that no client got as an answer. */
  readonly rowsWithoutAnswer: number;
  /** Uses that a code's counter lacks: they could be spent twice. */
  readonly usesNotCounted: number;
  /** Clients answered with a redemption that does not exist, or is another's. */
  readonly answersWithoutRow: number;
  /** Users who were refused although the code had uses left for them. */
  readonly refusedThoughFree: number;
  /** Uses that a code's counter holds without a row: they are lost. */
  readonly usesLost: number;
}

/** Compares what the database holds with the limits of the codes and with what the clients were told. */
export function countDeviations(
  codes: readonly CountedCode[],
  rows: readonly CountedRow[],
  attempts: readonly CountedAttempt[],
): Deviations {
  const rowsOf = Map.groupBy(rows, (row) => row.codeId);
  const attemptsOf = Map.groupBy(attempts, (attempt) => attempt.codeId);
  const told = new Set(attempts.map((attempt) => attempt.redemptionId));
  const known = new Set(codes.map((code) => code.codeId));
  const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
  const perCode = (amount: (code: CountedCode, uses: number) => number): number =>
    sum(codes.map((code) => Math.max(0, amount(code, rowsOf.get(code.codeId)?.length ?? 0))));
  const strayRows = rows.filter((row) => !known.has(row.codeId)).length;
  return {
    rowsBeyondLimit: perCode((code, uses) => uses - limitOf(code)) + strayRows,
    rowsWithoutAnswer: rows.filter((row) => !told.has(row.id)).length,
    usesNotCounted: perCode((code, uses) => uses - code.used),
    answersWithoutRow: answersWithoutRow(rows, attempts),
    refusedThoughFree: perCode(
      (code, uses) => Math.min(limitOf(code), usersOf(attemptsOf.get(code.codeId) ?? [])) - uses,
    ),
    usesLost: perCode((code, uses) => code.used - uses),
  };
}

/** Uses that were given and should not have been. */
export function overRedeemed(found: Deviations): number {
  return found.rowsBeyondLimit + found.rowsWithoutAnswer + found.usesNotCounted;
}

/** Uses that should have been given and were not. */
export function underRedeemed(found: Deviations): number {
  return found.answersWithoutRow + found.refusedThoughFree + found.usesLost;
}

function limitOf({ isOpen, useLimit }: CountedCode): number {
  if (!isOpen) return 0;
  return useLimit === 0 ? Number.POSITIVE_INFINITY : useLimit;
}

function usersOf(attempts: readonly CountedAttempt[]): number {
  return new Set(attempts.map((attempt) => attempt.userId)).size;
}

/** One row backs one user's answer; a second user answered with the same row has none. */
function answersWithoutRow(rows: readonly CountedRow[], attempts: readonly CountedAttempt[]): number {
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  return attempts.filter(({ redemptionId, codeId, userId }) => {
    if (redemptionId === null) return false;
    const row = rowOf.get(redemptionId);
    return row === undefined || row.codeId !== codeId || row.userId !== userId;
  }).length;
}
