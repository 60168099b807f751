import { DomainError } from '../errors.js';

/** Why a cursor cannot be served, in order of precedence. */
type CursorRefusal =
  /** It is no cursor that this program ever gave. */
  | 'CURSOR_MALFORMED'
  /** It lies after the last event of the tenant: it may come from another installation. */
  | 'CURSOR_UNKNOWN'
  /** What follows it is partly deleted, or too much to be read again. */
  | 'CURSOR_EXPIRED';

/** No subscription begins, or resumes, from this cursor. */
export class CursorError extends DomainError<CursorRefusal> {}

/** Events of a tenant, of all types, that a subscriber may be behind; a client that needs more reads lists instead. */
const CATCH_UP_MAX = 100_000;

/** Up to here a number is exact. */
const DIGITS_MAX = 15;
/** The number of an event; and where one has several items and more are to come, how many were given. */
const CURSOR_TEXT = new RegExp(`^(0|[1-9][0-9]{0,${DIGITS_MAX - 1}})(?:-([1-9][0-9]{0,3}))?$`);

/** Where a subscriber is. */
export interface FeedCursor {
  /** It has everything up to this event; 0 lies before the first one, */
  readonly afterSeq: number;
  /** and this many items of the next one. */
  readonly items: number;
}

/** @throws CursorError CURSOR_MALFORMED */
export function parseCursor(text: string): FeedCursor {
  const [, seq, items] = CURSOR_TEXT.exec(text) ?? [];
  if (seq !== undefined)
    return items === undefined
      ? { afterSeq: Number(seq), items: 0 }
      : { afterSeq: Number(seq) - 1, items: Number(items) };
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

/** @throws CursorError CURSOR_EXPIRED when too much has happened since. */
export function requireWithinReach(seq: number, lastSeq: number): void {
  if (lastSeq - seq > CATCH_UP_MAX) throw expiredCursor();
}

export function expiredCursor(): CursorError {
  return new CursorError(
    'CURSOR_EXPIRED',
    'The cursor is too old: not all events after it can be read again.',
  );
}
