import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DomainError } from './errors.js';
import { faultOfText, lengthOf } from './text.js';

/**
 * A name, a tag or a condition that people read: trimmed, in one spelling (NFC), not blank, without invisible
 * characters. Its length is counted as its column counts.
 */
export const nameText = (lengthMax: number) =>
  z
    .string()
    .trim()
    .normalize('NFC')
    .min(1, 'must not be empty')
    .superRefine((text, context) => {
      const tooLong = lengthOf(text) > lengthMax ? `must have at most ${lengthMax} characters` : null;
      const fault = tooLong ?? faultOfText(text);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    });

/**
 * Codes that name a tenant, a product line: capitals and digits, in groups joined by single underscores. Two that
 * differ only in underscores would look alike.
 */
export const keyText = (lengthMax: number) =>
  z
    .string()
    .min(2, 'must have at least 2 characters')
    .max(lengthMax, `must have at most ${lengthMax} characters`)
    .regex(
      /^[A-Z0-9]+(?:_[A-Z0-9]+)*$/,
      'must be capitals and digits, in groups joined by single underscores',
    );

/** A field that may be null or missing. */
export const orElse = <Schema extends z.ZodType, const Preset>(schema: Schema, preset: Preset) =>
  schema.nullish().transform((value): z.output<Schema> | Preset => value ?? preset);

/** Text of other systems: printable ASCII, so that no two of them look alike. Lengths in characters. */
export const visibleText = (lengthMax: number, lengthMin = 1) =>
  z
    .string()
    .regex(
      new RegExp(String.raw`^[\x21-\x7e]{${lengthMin},${lengthMax}}$`),
      `must be ${lengthMin} to ${lengthMax} printable characters without spaces`,
    );

/** Ids and keys of other systems. */
export const VISIBLE_ASCII = /^[\x21-\x7e]{1,64}$/;
export const foreignKeyText = visibleText(64);

/** A count that fits its column. */
export const countNumber = (least = 0, most = 4_294_967_295) =>
  z
    .int('must be a whole number')
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);

/** An instant that its column holds; as a date, or as RFC 3339 text from a file. */
export const instant = z
  .union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))])
  .refine((date) => date.getTime() >= 0 && date.getUTCFullYear() <= 9999, 'must lie between 1970 and 9999');

/**
 * Types what came from outside, or refuses it by the code of the first field at fault. Fields without a code of
 * their own are refused by the code of the field that holds them.
 */
export function parseInput<Schema extends z.ZodType, Code extends string>(
  schema: Schema,
  input: unknown,
  codes: Readonly<Record<string, Code>> & { readonly input: Code },
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).map(String);
  const name = path.findLast((part) => codes[part] !== undefined);
  const subject = path.length === 0 ? 'The input' : path.join('.');
  throw new DomainError(
    codes[name ?? 'input'] ?? codes.input,
    `${subject} ${issue?.message ?? 'is not possible'}.`,
    {
      field: ['input', ...path],
    },
  );
}

/**
 * Tells whether two calls with one idempotency key ask for the same. Takes parsed input, whose fields are always
 * in the order of its schema.
 */
export function argumentsDigest(parsed: unknown): string {
  return createHash('sha256').update(JSON.stringify(parsed)).digest('hex');
}
