import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';

export type OperationKind = 'query' | 'mutation' | 'subscription';

export interface RootField {
  readonly kind: OperationKind;
  readonly name: string;
  /** A document that asks for this field alone, with the least of arguments. */
  readonly document: string;
}

/** Every operation that a schema offers. @param text is given to every argument that takes text */
export function rootFields(schema: GraphQLSchema, text: string): RootField[] {
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  } as const;
  return Object.entries(roots).flatMap(([kind, type]) =>
    Object.values(type?.getFields() ?? {}).map((field) => ({
      kind: kind as OperationKind,
      name: field.name,
      document: `${kind} { ${call(field, text)} }`,
    })),
  );
}

function call(field: GraphQLField<unknown, unknown>, text: string): string {
  const required = field.args.filter((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined);
  const given = required.map((arg) => `${arg.name}: ${literal(arg.type, text)}`).join(', ');
  const selection = selectionOf(getNamedType(field.type));
  return `${field.name}${given === '' ? '' : `(${given})`}${selection}`;
}

/** Payloads say in their errors why they refuse. */
function selectionOf(type: GraphQLNamedType): string {
  if (!isCompositeType(type)) return '';
  const refuses = isObjectType(type) && type.getFields()['errors'] !== undefined;
  return refuses ? ' { errors { code } }' : ' { __typename }';
}

/** The least value of a type that validation takes. */
function literal(type: GraphQLInputType, text: string): string {
  if (isNonNullType(type)) return literal(type.ofType, text);
  if (isListType(type)) return `[${literal(type.ofType, text)}]`;
  if (isEnumType(type)) return String(type.getValues()[0]?.name);
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return `{${required.map((field) => `${field.name}: ${literal(field.type, text)}`).join(', ')}}`;
  }
  switch (type.name) {
    case 'Int':
    case 'Float':
    case 'SafeInt':
      return '1';
    case 'Boolean':
      return 'true';
    case 'DateTime':
    case 'Instant':
      return '"2030-01-01T00:00:00Z"';
    case 'Decimal':
      return '"1"';
    default:
      return `"${text}"`;
  }
}
