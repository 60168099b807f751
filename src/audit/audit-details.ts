import { scrubValue } from '../platform/observability/scrub.js';
import type { AuditEntry } from './audit-entry.entity.js';
import type { RecordedChanges, RowChange, RowValues } from '../platform/recording/change-record.js';

/** What an entry tells of a change, without secrets. */
export interface AuditDetails {
  /** Arguments of the operation. */
  readonly input: unknown;
  /** Rows before and after; of a bulk change some of them. */
  readonly changes: readonly RowChange[];
  /** How many rows were written, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Present where values were left out because there are too many. */
  readonly isCut?: true;
}

const REDACTED = '[redacted]';
/** Columns that hold secrets, or what leads to them. */
const SECRET_COLUMN =
  /digest|hash|secret|sealed|totp|pepper|password|token|codetext|idempotencykey|fingerprint/i;
/** Arguments that hold secrets beside those that no log shows. */
const SECRET_ARGUMENT = /password|secret|token|totp|linkcode|invitation|callbackurl|idempotencykey|pepper/i;
const TEXT_MAX = 500;
const ITEMS_MAX = 100;
/** Of the JSON text. */
const DETAILS_MAX = 16_000;

/** The text of an entry's details; bounded, because lists show many entries. */
export function detailsText(input: unknown, { rows, counts }: RecordedChanges): string {
  const whole: AuditDetails = {
    input: scrubValue(shown(input, SECRET_ARGUMENT)) ?? null,
    changes: rows.map(withoutSecrets),
    rows: counts,
  };
  const cut: AuditDetails[] = [
    whole,
    { ...whole, input: null, isCut: true },
    { ...whole, input: null, changes: whole.changes.map(namesOnly), isCut: true },
  ];
  const texts = cut.map((details) => JSON.stringify(details));
  return texts.find((text) => text.length <= DETAILS_MAX) ?? texts.at(-1) ?? '';
}

export function detailsOf({ details }: Pick<AuditEntry, 'details'>): AuditDetails {
  return JSON.parse(details) as AuditDetails;
}

function withoutSecrets({ table, id, before, after }: RowChange): RowChange {
  return { table, id, before: columnsOf(before), after: columnsOf(after) };
}

function columnsOf(row: RowValues | null): RowValues | null {
  if (row === null) return null;
  const columns = Object.entries(row).map(([name, value]) => {
    const isSecret = SECRET_COLUMN.test(name) && holdsText(value);
    // By the value alone: the column `code` of a product line names it.
    return [name, isSecret ? REDACTED : scrubValue(shown(value, SECRET_ARGUMENT))] as const;
  });
  return Object.fromEntries(columns);
}

function namesOnly({ table, id, before, after }: RowChange): RowChange {
  return { table, id, before: emptied(before), after: emptied(after) };
}

function emptied(row: RowValues | null): RowValues | null {
  return row === null ? null : Object.fromEntries(Object.keys(row).map((name) => [name, '[cut]']));
}

/** A copy with short texts and lists, and without what secret names hold. */
function shown(value: unknown, secret: RegExp): unknown {
  if (typeof value === 'string') return shortText(withoutQuery(value));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX - 1).map((item) => shown(item, secret));
    return value.length > items.length ? [...items, `[${value.length - items.length} more]`] : items;
  }
  const entries = Object.entries(value).map(([name, inner]) => {
    const isSecret = secret.test(name) && holdsText(inner);
    return [name, isSecret ? REDACTED : shown(inner, secret)] as const;
  });
  return Object.fromEntries(entries);
}

/** Counts and flags under a secret name tell nothing. */
function holdsText(value: unknown): boolean {
  if (value instanceof Date || value === null) return false;
  return typeof value === 'string' || typeof value === 'object';
}

function shortText(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}[${text.length - TEXT_MAX} more]`;
}

/** Queries of addresses hold keys. */
function withoutQuery(text: string): string {
  return /^https?:\/\//i.test(text) ? text.replace(/[?#].*$/s, `?${REDACTED}`) : text;
}
