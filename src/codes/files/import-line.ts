import { DomainError } from '../../platform/errors.js';
import { instant } from '../../platform/input.js';
import { canonicalText } from '../given-code.js';
import { plainCell } from './csv-cells.js';
import type { ImportLineRefusal, ImportRefusal } from './code-import.errors.js';

const USE_LIMIT_MAX = 2_147_483_647;
const COLUMNS = ['code', 'use_limit', 'starts_at', 'expires_at', 'external_user_id'] as const;
type Column = (typeof COLUMNS)[number];
/** Where each column stands. */
export type ImportColumns = Readonly<Partial<Record<Column, number>>> & { readonly code: number };

/** What a line asks for, before anything is looked up. */
export interface WantedCode {
  readonly line: number;
  readonly text: string;
  readonly canonical: string;
  readonly useLimit: number | null;
  readonly startsAt: Date | null;
  readonly expiresAt: Date | null;
  readonly externalUserId: string | null;
}

export interface RefusedLine {
  readonly line: number;
  readonly reason: ImportLineRefusal;
}

/**
 * The columns by the names of the first line, in any order; others are passed over. A file of one column needs no
 * names, and then its first line is a code.
 * @returns null where the first line is no header
 * @throws DomainError IMPORT_HEADER_MISSING
 */
export function columnsOf(first: readonly string[] | null): ImportColumns | null {
  const names = (first ?? []).map((name) => name.trim().toLowerCase().replaceAll(/[ -]/g, '_'));
  const places = COLUMNS.flatMap((column) => {
    const place = names.indexOf(column);
    return place < 0 ? [] : [[column, place] as const];
  });
  const columns = Object.fromEntries(places);
  if (columns['code'] !== undefined) return columns as ImportColumns;
  if (names.length === 1) return null;
  const code: ImportRefusal = 'IMPORT_HEADER_MISSING';
  throw new DomainError(
    code,
    `The first line must name the columns: ${COLUMNS.join(', ')}. Only code is required.`,
  );
}

/** What a line says, or why it cannot be taken. */
export function wantedOf(
  line: number,
  cells: readonly string[] | null,
  columns: ImportColumns,
): WantedCode | RefusedLine {
  if (cells === null) return { line, reason: 'LINE_NOT_READABLE' };
  const cell = (column: Column): string => {
    const place = columns[column];
    return place === undefined ? '' : plainCell(cells[place] ?? '').trim();
  };
  const text = cell('code');
  if (text === '') return { line, reason: 'CODE_MISSING' };
  const canonical = canonicalText(text);
  if (canonical === null) return { line, reason: 'CODE_TEXT_NOT_ALLOWED' };
  const useLimit = limitOf(cell('use_limit'));
  if (useLimit === undefined) return { line, reason: 'USE_LIMIT_OUT_OF_RANGE' };
  const [startsAt, expiresAt] = [instantOf(cell('starts_at')), instantOf(cell('expires_at'))];
  const isWindow = startsAt !== undefined && expiresAt !== undefined;
  if (!isWindow || (startsAt !== null && expiresAt !== null && startsAt >= expiresAt))
    return { line, reason: 'WINDOW_NOT_ALLOWED' };
  return {
    line,
    text,
    canonical,
    useLimit,
    startsAt,
    expiresAt,
    externalUserId: cell('external_user_id') || null,
  };
}

/** Undefined for what is no limit. */
function limitOf(cell: string): number | null | undefined {
  if (cell === '') return null;
  return /^[0-9]{1,10}$/.test(cell) && Number(cell) <= USE_LIMIT_MAX ? Number(cell) : undefined;
}

/** Undefined for what is no instant. */
function instantOf(cell: string): Date | null | undefined {
  if (cell === '') return null;
  return instant.safeParse(cell).data;
}
