import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
} from 'graphql';

interface Row {
  readonly path: string;
  readonly type: string;
  readonly says: string;
}

/** Arguments that every list has; the page of all operations describes them. */
const OF_LISTS = new Set(['after', 'page', 'size']);

/** A table of the arguments of an operation, those of input objects with their paths; empty where it takes none. */
export function argumentTable(args: readonly GraphQLArgument[], index: string): readonly string[] {
  const isList = args.some(({ name }) => name === 'page');
  const own = isList ? args.filter(({ name }) => !OF_LISTS.has(name)) : args;
  const rows = own.flatMap((arg) => rowsOf(arg, arg.name));
  const table = rows.map(({ path, type, says }) => `| \`${path}\` | \`${type}\` | ${says} |`);
  return [
    ...(table.length === 0 ? [] : ['', '| argument | type | |', '|---|---|---|', ...table]),
    ...(isList ? ['', `A list: it takes ${namesOf(args)}, too ([lists](${index}#lists)).`] : []),
  ];
}

const namesOf = (args: readonly GraphQLArgument[]): string =>
  args
    .filter(({ name }) => OF_LISTS.has(name))
    .map(({ name }) => `\`${name}\``)
    .join(', ');

function rowsOf(field: GraphQLArgument | GraphQLInputField, path: string): readonly Row[] {
  const named = getNamedType(field.type);
  const own = { path, type: String(field.type), says: saying(field) };
  if (!isInputObjectType(named)) return [own];
  const fields = Object.values(named.getFields());
  const inside = fields.flatMap((inner) =>
    rowsOf(inner, `${path}${isListOf(field.type) ? '[]' : ''}.${inner.name}`),
  );
  // An input that says nothing of itself is only the place of its fields.
  return path === 'input' ? inside : [own, ...inside];
}

function saying(field: GraphQLArgument | GraphQLInputField): string {
  const named = getNamedType(field.type);
  const values = isEnumType(named)
    ? `One of ${named
        .getValues()
        .map(({ name }) => `\`${name}\``)
        .join(', ')}.`
    : '';
  const standard =
    field.defaultValue === undefined || field.defaultValue === null
      ? ''
      : `Missing means \`${JSON.stringify(field.defaultValue)}\`.`;
  return inCell([field.description ?? '', values, standard].filter((part) => part !== '').join(' '));
}

const isListOf = (type: GraphQLInputType): boolean => isListType(isNonNullType(type) ? type.ofType : type);

/** A description as a cell of a table. */
export const inCell = (text: string): string =>
  text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', String.raw`\|`);
