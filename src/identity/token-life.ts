/** Who asked for a token: tokens of the API are short-lived; the operator's command may make longer ones. */
export type TokenWish = 'BY_PROGRAM' | 'BY_OPERATOR';

const DAY_S = 86_400;
/** How long a token may live. Longer ones are refused although their signature is genuine. */
export const TOKEN_TTL_MAX_S: Record<TokenWish, number> = { BY_PROGRAM: 900, BY_OPERATOR: 366 * DAY_S };
/** How far the clocks of two processes may be apart. */
const SKEW_S = 60;

/**
 * When a genuine token ends, in seconds, or null for times that this program never signs: no whole seconds, an end
 * before the beginning, a beginning in the future, or a longer life than its kind may have.
 */
export function endOfLife(claims: Readonly<Record<string, unknown>>, nowS: number): number | null {
  const { exp, iat, nbf = iat, wish = 'BY_PROGRAM' } = claims;
  if (!isWholeSecond(exp) || !isWholeSecond(iat) || !isWholeSecond(nbf) || !isWish(wish)) return null;
  const maxS = TOKEN_TTL_MAX_S[wish];
  if (iat >= exp || nbf >= exp || Math.max(iat, nbf) > nowS + SKEW_S) return null;
  return exp - iat > maxS || exp - nowS > maxS + SKEW_S ? null : exp;
}

function isWholeSecond(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isWish(value: unknown): value is TokenWish {
  return typeof value === 'string' && Object.hasOwn(TOKEN_TTL_MAX_S, value);
}
