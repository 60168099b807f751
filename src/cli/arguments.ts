import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { TOKEN_TTL_MAX_S } from '../identity/token-life.js';
import { VISIBLE_ASCII } from '../platform/input.js';
import { OWN_COMMAND } from '../platform/own-command.js';

/** What every command takes. */
export type GlobalOptions = { readonly verbose?: true | undefined };

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
/** A token cannot be taken back, so it does not live for ever. */
const TTL_S_MAX = TOKEN_TTL_MAX_S.BY_OPERATOR;

/** A time to live: `15m`, `2h`, `7d`, or seconds. */
export function ttlSeconds(text: string): number {
  const [, digits, unit] = /^([0-9]{1,9})([smhd]?)$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS[unit ?? ''] ?? Number.NaN);
  if (seconds >= 1 && seconds <= TTL_S_MAX) return seconds;
  throw new InvalidArgumentError('Give a time such as 15m, 2h, 7d, or 900 for seconds; at most 366d.');
}

export function wholeNumber(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number.');
}

/** Ids of other systems, as the services take them; staff ids are never judged by a service. */
export function externalId(text: string): string {
  if (VISIBLE_ASCII.test(text)) return text;
  throw new InvalidArgumentError('Give 1 to 64 printable characters without spaces.');
}

/** For options that may be given more than once. */
export function collected(text: string, before: string[] = []): string[] {
  return [...before, text];
}

export const example = (line: string): string => `\nExample:\n  ${OWN_COMMAND} ${line}`;

/** For changes: refused if another change came first. */
export const expectOption = () =>
  new Option('--expect <version>', 'only if it is at this version still, as list shows it').argParser(
    wholeNumber,
  );

/** An instant, e.g. 2026-12-31T23:59:59Z. */
export function instant(text: string): Date {
  const date = new Date(text);
  if (
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text) &&
    !Number.isNaN(date.getTime())
  ) {
    return date;
  }
  throw new InvalidArgumentError('Give an instant with its zone, e.g. 2026-12-31T23:59:59Z.');
}

/** What clears a field. The command line's parser knows no null, so the word stands for it until {@link orNull}. */
export const NONE = 'none';
export type OrNone<T> = T | typeof NONE;

/** The same as a parser of values, or `none`. */
export const orNone =
  <T>(parse: (text: string) => T) =>
  (text: string): OrNone<T> =>
    text === NONE ? NONE : parse(text);

export function orNull<T>(value: OrNone<T> | undefined): T | null | undefined {
  return value === NONE ? null : value;
}

/** Yes or no, as an answer to a question. */
export function yesOrNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new InvalidArgumentError('Give yes or no.');
}
