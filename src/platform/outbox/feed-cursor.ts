import { DomainError } from '../errors.js';

/** Why nobody can be served from a cursor, in order of precedence. */
type CursorRefusal =
  /** It is no number that was ever told. */
  | 'CURSOR_MALFORMED'
  /** It lies after everything that the tenant has: it may come from another installation. */
  | 'CURSOR_UNKNOWN'
  /** What follows it is partly deleted, or too much to be read again. */
  | 'CURSOR_EXPIRED';

/** No subscription begins, or goes on, from this cursor. */
export class CursorError extends DomainError<CursorRefusal> {}

/** Events of a tenant, of all types, that a subscriber may be behind; whoever asks for more reads lists instead. */
const CATCH_UP_MAX = 100_000;

/** Up to here a number is exact. */
const DIGITS_MAX = 15;
const CURSOR_TEXT = new RegExp(`^(0|[1-9][0-9]{0,${DIGITS_MAX - 1}})$`);

/** The `seq` that a cursor stands for; 0 lies before the first event. @throws CursorError CURSOR_MALFORMED */
export function parseCursor(text: string): number {
  if (CURSOR_TEXT.test(text)) return Number(text);
  throw new CursorError(
    'CURSOR_MALFORMED',
    'The cursor must be the `cursor` of an earlier event, or "0", as it was given.',
  );
}

/** @throws CursorError CURSOR_UNKNOWN when the tenant has had no such event. */
export function requireKnown(seq: number, lastSeq: number): void {
  if (seq <= lastSeq) return;
  throw new CursorError(
    'CURSOR_UNKNOWN',
    'The cursor lies after the last event of this tenant. Is it from another installation?',
  );
}

/** @throws CursorError CURSOR_EXPIRED when too much has been published since. */
export function requireWithinReach(seq: number, publishedSeq: number): void {
  if (publishedSeq - seq > CATCH_UP_MAX) throw expiredCursor();
}

export function expiredCursor(): CursorError {
  return new CursorError(
    'CURSOR_EXPIRED',
    'The cursor is too old: not all events after it can be read again.',
  );
}
