import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

type Field = GraphQLField<unknown, unknown>;

const DEPTH_MAX = 8;

/** Every object type of the schema that clients normalise: those with an `id`, whose default key is type and id. */
export function identifiedTypes(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && 'id' in type.getFields())
    .map(({ name }) => name)
    .toSorted();
}

/** The arguments to ask a field of `Query` or `Mutation` with, once with each. */
export type Arguments = Readonly<Record<string, readonly string[]>>;

/**
 * Operations that ask for everything below a field: those of `Query` and `Mutation` that arguments are given for, and
 * those of `Query` that need none.
 */
export function wholeOperations(schema: GraphQLSchema, given: Arguments): string[] {
  const queries = Object.values(schema.getQueryType()?.getFields() ?? {});
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
  const whole = (field: Field, args: string) => `{ ${field.name}${args} ${selectionOf(field, [])} }`;
  return [
    ...mutations.flatMap((field) =>
      (given[field.name] ?? []).map((args) => `mutation ${whole(field, args)}`),
    ),
    ...queries.flatMap((field) => {
      const bare = field.args.some(isRequiredArgument) ? [] : [''];
      return [...(given[field.name] ?? []), ...bare].map((args) => whole(field, args));
    }),
  ];
}

/** All fields below a field, as far as none of them needs an argument and no type contains itself. */
function selectionOf(field: Field, path: readonly GraphQLObjectType[]): string {
  const type = getNamedType(field.type);
  if (isInterfaceType(type))
    throw new Error(`${field.name} answers an interface: say which fields to ask for.`);
  if (!isObjectType(type)) return '';
  const parts = Object.values(type.getFields())
    .filter(({ args }) => !args.some(isRequiredArgument))
    .filter((inner) => !isLoop(inner, [...path, type]))
    .map((inner) => `${inner.name} ${selectionOf(inner, [...path, type])}`);
  return `{ __typename ${parts.join(' ')} }`;
}

function isLoop(field: Field, path: readonly GraphQLObjectType[]): boolean {
  const type = getNamedType(field.type);
  return isObjectType(type) && (path.includes(type) || path.length >= DEPTH_MAX);
}
