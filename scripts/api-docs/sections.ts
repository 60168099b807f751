import { getNamedType, isEnumType, isObjectType, type GraphQLField } from 'graphql';
import type { Rule } from '../../src/graphql/rule.js';
import { argumentTable } from './arguments.js';
import { DEMO, payloadOf, readDemo, replaced, valueAt, type ApiExample } from './examples.js';

export interface Operation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly field: GraphQLField<unknown, unknown>;
  readonly rule: Rule;
  readonly feature: string;
}

export const KINDS = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;
const INDEX = 'README.md';

/** The part of a page that describes one operation. */
export function sectionOf(operation: Operation, examples: ReadonlyMap<string, ApiExample>): string {
  const { kind, field, rule } = operation;
  return [
    `## ${field.name}`,
    '',
    field.description ?? '',
    '',
    `**${KINDS[kind]}** for ${callersOf(rule)}. It answers \`${String(field.type)}\`.`,
    ...argumentTable(field.args, INDEX),
    ...refusalsOf(field),
    ...exampleOf(field.name, examples),
    '',
  ].join('\n');
}

/** Who may use an operation, in words. */
export function callersOf(rule: Rule): string {
  if (rule === 'PUBLIC') return 'every caller, also without a token';
  const callers = [
    ...(rule.USER === undefined ? [] : ['users']),
    ...(rule.STAFF === undefined ? [] : [`staff (${rule.STAFF.join(', ')})`]),
    ...(rule.NODE === undefined ? [] : ['nodes']),
    ...(rule.PARTNER === undefined ? [] : [`API keys with the scope ${rule.PARTNER.map(code).join(' or ')}`]),
  ];
  return callers.join(', ');
}

const code = (text: string): string => `\`${text}\``;

function refusalsOf(field: GraphQLField<unknown, unknown>): readonly string[] {
  const payload = getNamedType(field.type);
  const errors = isObjectType(payload) ? payload.getFields()['errors'] : undefined;
  const error = errors === undefined ? undefined : getNamedType(errors.type);
  const codes = isObjectType(error) ? getNamedType(error.getFields()['code']?.type) : undefined;
  if (!isEnumType(codes)) return [];
  const names = codes.getValues().map(({ name }) => code(name));
  return ['', `Refusals ([meaning](../errors.md#${codes.name.toLowerCase()})): ${names.join(', ')}.`];
}

function exampleOf(name: string, examples: ReadonlyMap<string, ApiExample>): readonly string[] {
  const example = examples.get(name);
  if (example === undefined) return [];
  const demo = readDemo();
  const shown = (operation: string, path: string): unknown =>
    operation === DEMO ? demo[path] : valueAt(payloadOf(operation, examples.get(operation)?.answer), path);
  const { variables } = example;
  return [
    '',
    `Example, ${senderOf(example, shown)}:`,
    '',
    ...block('graphql', example.document),
    ...(variables === undefined ? [] : block('json', inJson(replaced(variables, shown)))),
    ...block('json', inJson(example.answer)),
    ...(example.note === undefined ? [] : ['', example.note]),
  ];
}

function senderOf(
  { token, headers }: ApiExample,
  shown: (operation: string, path: string) => unknown,
): string {
  const from = token === undefined ? null : /^\$(\w+)/.exec(token)?.[1];
  const sender =
    from === null || from === undefined
      ? 'without a token'
      : from === DEMO
        ? 'with the token of an OWNER'
        : `with the token that \`${from}\` has answered`;
  const names = Object.entries(headers ?? {}).map(([name, value]) =>
    code(`${name}: ${String(replaced(value, shown))}`),
  );
  return [sender, ...names.map((header) => `the header ${header}`)].join(' and ');
}

const block = (language: string, text: string): readonly string[] => [`\`\`\`${language}`, text, '```'];

const LINE_MAX = 110;

/** JSON with what fits in a line in one line. */
function inJson(value: unknown, indent = ''): string {
  const flat = JSON.stringify(value, null, 1)
    .replaceAll(/\n\s*/g, ' ')
    .replaceAll(/\[ (?=\S)/g, '[')
    .replaceAll(/(?<=\S) \]/g, ']');
  if (typeof value !== 'object' || value === null || indent.length + flat.length <= LINE_MAX) return flat;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? value.map((item) => inJson(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${inJson(item, inner)}`);
  return `${open}\n${items.map((item) => `${inner}${item}`).join(',\n')}\n${indent}${close}`;
}
