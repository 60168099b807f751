/**
 * Makes the types of the console's GraphQL operations: for each `x.graphql` an `x.gql.ts` beside it, which the pages
 * import. The documents are checked against schema.graphql, so one that does not fit fails the build.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import * as operationTypes from '@graphql-codegen/typescript-operations';
import { buildSchema, Kind, parse, print, separateOperations, validate } from 'graphql';

const CONSOLE = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = path.join(CONSOLE, 'src');
const BANNER = '// Made by scripts/operations.mjs from the .graphql file beside it.\n';

/** Texts that stand for the custom scalars in JSON. */
const SCALARS = {
  ID: 'string',
  DateTime: 'string',
  Decimal: 'string',
  SafeInt: 'number',
  JSONObject: 'Record<string, unknown>',
};

const files = readdirSync(SOURCES, { recursive: true }).map((file) => path.join(SOURCES, file));
const sdl = readFileSync(path.join(CONSOLE, '../schema.graphql'), 'utf8');
const schema = buildSchema(sdl);

function parsed(file) {
  const document = parse(readFileSync(file, 'utf8'));
  const [fault] = validate(schema, document);
  if (fault === undefined) return document;
  const { line = 0 } = fault.locations?.[0] ?? {};
  throw new Error(`${path.relative(CONSOLE, file)}:${line}: ${fault.message}`);
}

async function typesOf(location, document) {
  return codegen({
    schema: parse(sdl),
    filename: location,
    documents: [{ location, document }],
    plugins: [{ types: {} }],
    pluginMap: { types: operationTypes },
    config: {
      scalars: SCALARS,
      enumType: 'string-literal',
      immutableTypes: true,
      skipTypename: true,
      useTypeImports: true,
    },
  });
}

/** Each operation with the fragments that it uses, as the text that is sent. */
function constantsOf(document) {
  return Object.entries(separateOperations(document)).map(([name, part]) => {
    const { operation } = part.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const kind = operation[0].toUpperCase() + operation.slice(1);
    const text = print(part).replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('$', '\\$');
    return `export const ${name}Document = operation<${name}${kind}, ${name}${kind}Variables>(\n  '${name}',\n  \`${text}\`,\n);`;
  });
}

async function write(file) {
  const target = file.replace(/\.graphql$/, '.gql.ts');
  const document = parsed(file);
  const from = path.relative(path.dirname(file), path.join(SOURCES, 'api/operation'));
  const source = from.startsWith('.') ? from : `./${from}`;
  const body = [
    `${BANNER}import { operation } from '${source}';`,
    await typesOf(file, document),
    ...constantsOf(document),
  ].join('\n\n');
  // An unchanged file is left alone, or each run would make the build look out of date.
  if (!existsSync(target) || readFileSync(target, 'utf8') !== `${body}\n`) writeFileSync(target, `${body}\n`);
}

try {
  for (const file of files.filter((each) => each.endsWith('.graphql'))) await write(file);
  for (const file of files.filter((each) => each.endsWith('.gql.ts')))
    if (!existsSync(file.replace(/\.gql\.ts$/, '.graphql'))) rmSync(file);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
