/**
 * Makes sdk/src/generated/operations.ts and sdk/operations.json from schema.graphql and sdk/operations, and fails if
 * they differ from the files: a change of the API that the SDK cannot follow is seen in the same commit. With --write it
 * writes the files instead.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { buildASTSchema, Kind, parse, print, validate, visit } from 'graphql';

const ROOT = new URL('../../', import.meta.url);
const FOLDER = new URL('sdk/operations/', ROOT);
const TYPES_FILE = new URL('sdk/src/generated/operations.ts', ROOT);
const MANIFEST_FILE = new URL('sdk/operations.json', ROOT);
const HEADER = '// Made by sdk/scripts/generate.mjs from schema.graphql and sdk/operations. Do not edit.\n';
/** What a partner's server runs, and has to be registered. */
const PARTNER_OPERATIONS = new Set([
  'CreateUserToken',
  'AllocateCodes',
  'ActivateBatch',
  'PartnerRedemptions',
  'EventCursor',
  'RedemptionSettled',
]);

const schemaNode = parse(readFileSync(new URL('schema.graphql', ROOT), 'utf8'));
const documents = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.graphql'))
  .sort()
  .map((location) => ({ location, document: parse(readFileSync(new URL(location, FOLDER), 'utf8')) }));
const definitions = documents.flatMap(({ document }) => document.definitions);
const fragments = new Map(
  definitions
    .filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
    .map((fragment) => [fragment.name.value, fragment]),
);

/** The fragments that a definition spreads, and those that they spread, each once. */
function spreadIn(definition, found = new Map()) {
  visit(definition, {
    FragmentSpread: ({ name }) => {
      if (found.has(name.value)) return;
      const fragment = fragments.get(name.value);
      found.set(name.value, fragment);
      spreadIn(fragment, found);
    },
  });
  return found;
}

/** One line, without what a parser ignores. */
const textOf = (definition) =>
  [definition, ...spreadIn(definition).values()].map((node) => print(node).replace(/\s+/g, ' ')).join(' ');

const operations = definitions
  .filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
  .map((definition) => {
    const text = textOf(definition);
    const id = createHash('sha256').update(text).digest('hex');
    return { name: definition.name.value, type: definition.operation, text, id };
  });

/** What the operations ask for and the schema does not have. */
function faults() {
  const whole = { kind: Kind.DOCUMENT, definitions };
  return validate(buildASTSchema(schemaNode), whole).map(({ message }) => message);
}

async function types() {
  return codegen({
    filename: TYPES_FILE.pathname,
    schema: schemaNode,
    documents,
    pluginMap: { typescriptOperations },
    plugins: [
      {
        typescriptOperations: {
          enumType: 'string-literal',
          skipTypename: true,
          immutableTypes: true,
          strictScalars: true,
          useTypeImports: true,
          scalars: {
            ID: 'string',
            DateTime: 'string',
            Decimal: 'string',
            JSONObject: 'Record<string, unknown>',
            SafeInt: 'number',
          },
        },
      },
    ],
    config: {},
  });
}

function constantOf({ name, type, text, id }) {
  const suffix = type[0].toUpperCase() + type.slice(1);
  const typed = `Operation<${name}${suffix}, ${name}${suffix}Variables>`;
  return `export const ${name}: ${typed} = {\n  name: '${name}',\n  id: '${id}',\n  text: ${JSON.stringify(text)},\n};\n`;
}

function manifest() {
  const format = { format: 'apollo-persisted-query-manifest', version: 1 };
  const own = operations.filter(({ name }) => PARTNER_OPERATIONS.has(name));
  const listed = own.map(({ id, name, type, text }) => ({ id, name, type, body: text }));
  return `${JSON.stringify({ ...format, operations: listed }, null, 2)}\n`;
}

const found = faults();
if (found.length > 0) {
  console.error(`sdk/operations do not fit schema.graphql:\n${found.join('\n')}`);
  process.exit(1);
}
const made = [
  [
    TYPES_FILE,
    `${HEADER}import type { Operation } from '../operation.js';\n\n${await types()}\n${operations.map(constantOf).join('\n')}`,
  ],
  [MANIFEST_FILE, manifest()],
];
for (const [file, text] of made) {
  const name = file.pathname.slice(ROOT.pathname.length);
  const written = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (process.argv.includes('--write')) {
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text);
    console.log(`${name} ${written === text ? 'is as it was' : 'is written'}.`);
  } else if (written === text) {
    console.log(`${name} fits the schema.`);
  } else {
    console.error(`${name} differs from schema.graphql and sdk/operations; "npm run sdk" writes it.`);
    process.exitCode = 1;
  }
}
