import type { GraphQLObjectType, GraphQLSchema } from 'graphql';
import type { Permissions } from '../../src/graphql/rule.js';
import { inCell } from './arguments.js';
import type { ApiExample } from './examples.js';
import { INTRODUCTION } from './introduction.js';
import { callersOf, KINDS, sectionOf, type Operation } from './sections.js';

interface FeaturePermissions {
  readonly name: string;
  readonly permissions: Permissions;
}

/** Every page of the reference by its name: one for each feature, and one that lists all operations. */
export function apiPages(
  schema: GraphQLSchema,
  features: readonly FeaturePermissions[],
  examples: ReadonlyMap<string, ApiExample>,
): ReadonlyMap<string, string> {
  const operations = features.flatMap((feature) => operationsOf(schema, feature));
  assertAllHaveExamples(operations, examples);
  const byFeature = Map.groupBy(operations, ({ feature }) => feature);
  const pages = [...byFeature].map(([feature, own]) => {
    const sections = own.map((operation) => sectionOf(operation, examples));
    return [fileOf(feature), `${headOf(feature, own)}\n${sections.join('\n').trimEnd()}\n`] as const;
  });
  return new Map([['README.md', indexOf(byFeature)], ...pages]);
}

function operationsOf(
  schema: GraphQLSchema,
  { name, permissions }: FeaturePermissions,
): readonly Operation[] {
  const roots: Readonly<Record<Operation['kind'], GraphQLObjectType | null | undefined>> = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  };
  const kinds = Object.keys(KINDS) as Operation['kind'][];
  return kinds.flatMap((kind) =>
    Object.entries(permissions[kind] ?? {}).map(([operation, rule]) => {
      const field = roots[kind]?.getFields()[operation];
      if (field === undefined) throw new Error(`The schema has no ${kind} ${operation}.`);
      return { kind, field, rule, feature: name };
    }),
  );
}

/** Each operation has an example with its answer, and each example an operation. */
function assertAllHaveExamples(
  operations: readonly Operation[],
  examples: ReadonlyMap<string, ApiExample>,
): void {
  const names = new Set(operations.map(({ field }) => field.name));
  const missing = [...names].filter((name) => examples.get(name)?.answer === undefined);
  const surplus = [...examples.keys()].filter((name) => !names.has(name));
  if (missing.length > 0)
    throw new Error(
      `No example with an answer: ${missing.join(', ')}. Add <operation>.graphql and .json to docs/examples/api, and run "npm run api-examples".`,
    );
  if (surplus.length > 0)
    throw new Error(`No operation of the schema: ${surplus.join(', ')} in docs/examples/api.`);
}

const lastOf = (feature: string): string => feature.split('/').at(-1) ?? feature;
const fileOf = (feature: string): string => `${lastOf(feature)}.md`;
const titleOf = (feature: string): string => lastOf(feature).replace(/^./, (first) => first.toUpperCase());

function headOf(feature: string, operations: readonly Operation[]): string {
  const links = operations.map(({ field: { name } }) => `[${name}](#${name.toLowerCase()})`);
  return `# API: ${titleOf(feature)}\n\nMade from the schema by \`npm run api-docs\`. [How to call](README.md).\n\n${links.join(' · ')}\n`;
}

function indexOf(byFeature: ReadonlyMap<string, readonly Operation[]>): string {
  const tables = [...byFeature].map(([feature, operations]) => {
    const rows = operations.map(({ kind, field, rule }) => {
      const link = `[\`${field.name}\`](${fileOf(feature)}#${field.name.toLowerCase()})`;
      return `| ${link} | ${kind} | ${inCell(field.description ?? '')} | ${callersOf(rule)} |`;
    });
    const title = `### [${titleOf(feature)}](${fileOf(feature)})`;
    return `${title}\n\n| operation | kind | what it does | for |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${INTRODUCTION}\n${tables.join('\n')}`;
}
