import { createHash } from 'node:crypto';
import type { ApolloServerPlugin } from '@apollo/server';
import {
  getNamedType,
  GraphQLError,
  isInputObjectType,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { DomainError } from '../platform/errors.js';
import { VISIBLE_ASCII } from '../platform/input.js';
import type { RequestContext } from './context.js';
import { rootFields } from './root-fields.js';

interface KeyedInput {
  readonly idempotencyKey?: string | null | undefined;
}

/**
 * The key of a mutation: that of its input, else that of the header. Keys are unique in a tenant, and its partners choose
 * theirs without knowledge of each other: a partner's is made its own, or it would get the codes of another.
 * @throws DomainError IDEMPOTENCY_KEYS_DIFFER where both are given and are not the same
 */
export function idempotencyKeyOf(context: RequestContext, { idempotencyKey }: KeyedInput): string | null {
  const header = context.idempotencyKey;
  const own = idempotencyKey ?? header;
  if (header === null || own === header) return ownKey(context, own);
  throw new DomainError(
    'IDEMPOTENCY_KEYS_DIFFER',
    'The header idempotency-key and the idempotencyKey of the input are not the same. Send one of them.',
    { field: ['input', 'idempotencyKey'] },
  );
}

/** What is no key stays, for the refusal that says so. */
function ownKey({ actor }: RequestContext, key: string | null): string | null {
  if (actor?.kind !== 'PARTNER' || key === null || !VISIBLE_ASCII.test(key)) return key;
  return createHash('sha256').update(`${actor.partnerId}\0${key}`).digest('base64url');
}

/** Refuses, before anything is done, a header's key for several mutations of one request: it would mean the first alone. */
export function oneKeyOneMutation(): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ operation, document, schema, contextValue }) => {
        if (!operation || contextValue.idempotencyKey === null) return;
        const keyed = keyedFields(schema, document, operation);
        if (keyed.length <= 1) return;
        throw new GraphQLError(
          `The header idempotency-key stands for one mutation, and this request has ${keyed.length} that take a key. Leave the header out, and give each a key of its own as idempotencyKey of its input.`,
          { nodes: keyed, extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } },
        );
      },
    }),
  };
}

/** The mutations of an operation that take a key. */
export function keyedFields(
  schema: GraphQLSchema,
  document: DocumentNode,
  { operation, selectionSet }: OperationDefinitionNode,
): readonly FieldNode[] {
  if (operation !== OperationTypeNode.MUTATION) return [];
  return rootFields(document, selectionSet).filter((field) => takesKey(schema, field));
}

function takesKey(schema: GraphQLSchema, field: FieldNode): boolean {
  const mutation = schema.getMutationType()?.getFields()[field.name.value];
  const type = getNamedType(mutation?.args.find(({ name }) => name === 'input')?.type);
  return isInputObjectType(type) && Object.hasOwn(type.getFields(), 'idempotencyKey');
}
