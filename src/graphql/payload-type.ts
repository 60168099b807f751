import { Field, Int, ObjectType, type ClassType } from 'type-graphql';
import { enumFromValues } from './enums.js';
import { nullable } from './nullable.js';
import { UserErrorType } from './user-error.js';

type FieldType = Parameters<typeof Field>[0] & (() => unknown);

/** A field of a payload beside its errors. It is nullable, because a refused mutation has errors alone. */
export interface PayloadField {
  readonly type: FieldType;
  readonly description?: string;
}

interface PayloadOptions {
  /** Whether its refusals say how long to wait. */
  readonly hasRetryAfter?: boolean;
  /** Whether its refusals say where in a text the fault lies. */
  readonly hasPosition?: boolean;
}

@ObjectType('TextPosition', { description: 'A part of a text, as people look for it.' })
export class TextPositionType {
  @Field(() => Int, { description: 'From 1.' })
  line!: number;

  @Field(() => Int, { description: 'In characters, from 1.' })
  column!: number;

  @Field(() => Int, { description: 'How many characters of the line are meant.' })
  length!: number;

  @Field(() => String, { description: 'The line, and a caret below the column.' })
  excerpt!: string;
}

const POSITION = nullable('Where in the text of the field the fault lies, if it lies in a text.');
const RETRY_AFTER = nullable('Milliseconds until the same call can succeed.');

/**
 * Makes what a mutation answers: `<Mutation>Payload` with the fields and `errors`, `<Mutation>Error`, and the closed
 * enum `<Mutation>ErrorCode` of its refusals in order of precedence.
 *
 * @example export const FreezeBatchPayloadType = payloadType('FreezeBatch', REFUSALS, { batch: { type: () => BatchType } });
 */
export function payloadType(
  mutation: string,
  refusals: readonly string[],
  fields: Readonly<Record<string, PayloadField>>,
  { hasRetryAfter = false, hasPosition = false }: PayloadOptions = {},
): ClassType {
  const errorType = errorTypeOf(mutation, refusals);
  if (hasRetryAfter) Field(() => Int, RETRY_AFTER)(errorType.prototype, 'retryAfterMs');
  if (hasPosition) Field(() => TextPositionType, POSITION)(errorType.prototype, 'position');

  @ObjectType(`${mutation}Payload`)
  class Payload {
    @Field(() => [errorType], {
      description: 'Empty on success; otherwise the first refusal in order of precedence.',
    })
    errors!: UserErrorType[];
  }
  for (const [name, { type, description }] of Object.entries(fields)) {
    const options = { nullable: true, ...(description !== undefined && { description }) };
    Field(type as () => ClassType, options)(Payload.prototype, name);
  }
  return Payload;
}

function errorTypeOf(mutation: string, refusals: readonly string[]): ClassType<UserErrorType> {
  const name = `${mutation}ErrorCode`;
  const codes = enumFromValues(name, refusals, 'Why it was refused, in order of precedence.');

  @ObjectType(`${mutation}Error`, { implements: UserErrorType })
  class MutationError extends UserErrorType {
    @Field(() => codes)
    code!: string;
  }
  return MutationError;
}
