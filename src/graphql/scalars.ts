import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars';
import { Money } from '../platform/decimal.js';

/** The range of the database's DECIMAL(30,10): what does not fit is refused here, and never rounded. */
const DECIMAL_TEXT = /^-?[0-9]{1,20}(\.[0-9]{1,10})?$/;

/** Money and rates, as text in both directions so that no float is ever in between. */
export const DecimalScalar = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description:
    'An exact decimal number as a string, e.g. "12.50": up to 20 digits, and up to 10 after the point. A whole number may also be given as a number; a float is refused.',
  serialize: serializeDecimal,
  parseValue: parseDecimal,
  parseLiteral: parseDecimalLiteral,
});

/** An instant in UTC with milliseconds. */
export const InstantScalar = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: 'An instant as RFC 3339 text, e.g. "2026-01-31T23:59:59.999Z". Answers are always in UTC.',
});

/** What a tenant keeps for its own clients; nothing here reads it. */
export const JsonObjectScalar = new GraphQLScalarType({
  ...GraphQLJSONObject.toConfig(),
  name: 'JSONObject',
  description: 'A JSON object.',
});

function serializeDecimal(value: unknown): string {
  if (value instanceof Money) return value.toFixed();
  // The database pads to the column's scale; the same amount has one text.
  if (typeof value === 'string' && DECIMAL_TEXT.test(value)) return new Money(value).toFixed();
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw new GraphQLError('Decimal cannot represent what is not an exact decimal.');
}

function parseDecimal(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'string' && DECIMAL_TEXT.test(value)) return value;
  throw new GraphQLError(
    'Decimal must be a string such as "12.50" or a whole number, not a float: up to 20 digits, and up to 10 after the point.',
  );
}

/** As of variables: the same amount must not be accepted as a literal and refused as a variable. */
function parseDecimalLiteral(node: ValueNode): string {
  const isExact = node.kind === Kind.STRING || node.kind === Kind.INT;
  return parseDecimal(isExact ? node.value : null);
}
