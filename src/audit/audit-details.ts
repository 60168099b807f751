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
/** Columns that tell who a user is. */
const PERSONAL_COLUMNS: Readonly<Record<string, RegExp>> = {
  user: /^(?:externalId|tags)$/,
  device: /^(?:identifier|userAgent|shortCode)$/,
};
/** Their keys do, too. */
const PERSONAL_KEYS = new Set(['auth_method', 'trial_grant']);
/** Arguments that do; "user" is one of the command line. */
const PERSONAL_ARGUMENT = /^(?:externalUserId|user|identifier|userAgent|shortCode)$/;
/** Of an operation about a user; others have tags, too. */
const TAGS = /^tags?$/;
const TEXT_MAX = 500;
const ITEMS_MAX = 100;
/** Of the JSON text. */
const DETAILS_MAX = 16_000;

/**
 * The text of an entry's details; bounded, because lists show many entries.
 * @param hide what stands for personal data
 * @param isAboutUser whether the operation is about one user, whose tags are personal
 */
export function detailsText(
  input: unknown,
  { rows, counts }: RecordedChanges,
  hide: (value: unknown) => string,
  isAboutUser: boolean,
): string {
  const isPersonal = (name: string): boolean =>
    PERSONAL_ARGUMENT.test(name) || (isAboutUser && TAGS.test(name));
  const whole: AuditDetails = {
    input: withArguments(scrubValue(shown(input, SECRET_ARGUMENT)) ?? null, isPersonal, hide),
    changes: rows.map((row) => withoutSecrets(row, hide)),
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

function withoutSecrets(
  { table, id, before, after }: RowChange,
  hide: (value: unknown) => string,
): RowChange {
  const columns = (row: RowValues | null): RowValues | null => columnsOf(row, PERSONAL_COLUMNS[table], hide);
  return { table, id: PERSONAL_KEYS.has(table) ? '-' : id, before: columns(before), after: columns(after) };
}

function columnsOf(
  row: RowValues | null,
  personal: RegExp | undefined,
  hide: (value: unknown) => string,
): RowValues | null {
  if (row === null) return null;
  const columns = Object.entries(row).map(([name, value]) => {
    const isSecret = SECRET_COLUMN.test(name) && holdsText(value);
    if (isSecret) return [name, REDACTED] as const;
    // By the value alone: the column `code` of a product line names it.
    const plain = scrubValue(shown(value, SECRET_ARGUMENT));
    return [name, personal?.test(name) === true && holdsText(plain) ? hide(plain) : plain] as const;
  });
  return Object.fromEntries(columns);
}

function withArguments(
  input: unknown,
  isPersonal: (name: string) => boolean,
  hide: (value: unknown) => string,
): unknown {
  if (Array.isArray(input)) return input.map((item) => withArguments(item, isPersonal, hide));
  if (typeof input !== 'object' || input === null || input instanceof Date) return input;
  const entries = Object.entries(input).map(([name, value]) => {
    const isHidden = isPersonal(name) && holdsText(value);
    return [name, isHidden ? hide(value) : withArguments(value, isPersonal, hide)] as const;
  });
  return Object.fromEntries(entries);
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
