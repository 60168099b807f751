import type { ProjectFile, Rule } from './rule.js';

const SCHEMA = 'schema.graphql';
const DOCUMENT = 'docs/errors.md';

type Codes = ReadonlyMap<string, ReadonlySet<string>>;

const ENUM = /^enum (\w+ErrorCode) \{([\s\S]*?)^\}/gm;

function codesOfSchema(sdl: string): Codes {
  return new Map([...sdl.matchAll(ENUM)].map((match) => [match[1] ?? '', valuesOf(match[2] ?? '')]));
}

function valuesOf(body: string): ReadonlySet<string> {
  const withoutDescriptions = body.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"/g, '');
  return new Set([...withoutDescriptions.matchAll(/^\s*([A-Z][A-Z0-9_]*)/gm)].map((match) => match[1] ?? ''));
}

/** A heading names the enum, and each row of the table under it begins with a code; other sections are free. */
function codesOfDocument(markdown: string): Codes {
  const sections = markdown.split(/^#+\s+/m).flatMap((section) => {
    const name = /^`?(\w+ErrorCode)`?/.exec(section)?.[1];
    if (name === undefined) return [];
    return [
      [
        name,
        new Set([...section.matchAll(/^\|\s*`([A-Z][A-Z0-9_]*)`/gm)].map((row) => row[1] ?? '')),
      ] as const,
    ];
  });
  return new Map(sections);
}

function missingFrom(there: Codes, here: Codes, place: string): readonly string[] {
  return [...here].flatMap(([name, codes]) => {
    const known = there.get(name);
    if (known === undefined) return [`${place}: no ${name}`];
    return [...codes].filter((code) => !known.has(code)).map((code) => `${place}: ${name} has no ${code}`);
  });
}

function compare(files: readonly ProjectFile[]): readonly string[] {
  const textOf = (path: string): string | undefined => files.find((file) => file.path === path)?.text;
  const [sdl, markdown] = [textOf(SCHEMA), textOf(DOCUMENT)];
  if (sdl === undefined || markdown === undefined) {
    return [SCHEMA, DOCUMENT]
      .filter((path) => textOf(path) === undefined)
      .map((path) => `${path}: is missing`);
  }
  const [declared, described] = [codesOfSchema(sdl), codesOfDocument(markdown)];
  if (declared.size === 0) return [`${SCHEMA}: has no enum of error codes`];
  return [...missingFrom(described, declared, DOCUMENT), ...missingFrom(declared, described, SCHEMA)];
}

const enumOf = (values: string): string => `enum RedeemCodeErrorCode {\n  ${values}\n}\n`;
const documentOf = (rows: string): string =>
  `# Errors\n\n## \`RedeemCodeErrorCode\`\n\n| code | when |\n|---|---|\n${rows}\n`;

export const errorsDocument: Rule = {
  says: 'describes every error code of the schema in docs/errors.md, and no other',
  check: compare,
  broken: {
    'no document': { [SCHEMA]: enumOf('CODE_HELD') },
    'no schema': { [DOCUMENT]: documentOf('| `CODE_HELD` | held |') },
    'a code that is not described': {
      [SCHEMA]: enumOf('CODE_HELD\n  GONE'),
      [DOCUMENT]: documentOf('| `GONE` | x |'),
    },
    'a code that is gone': {
      [SCHEMA]: enumOf('GONE'),
      [DOCUMENT]: documentOf('| `GONE` | x |\n| `CODE_HELD` | x |'),
    },
    'an enum that is not described': {
      [SCHEMA]: `${enumOf('GONE')}enum TransferErrorCode {\n  OVERDRAFT\n}\n`,
      [DOCUMENT]: documentOf('| `GONE` | x |'),
    },
  },
  kept: {
    [SCHEMA]: `${enumOf('"""NOT this."""\n  CODE_HELD\n\n  "or THAT"\n  GONE')}enum Unit {\n  DAY\n}\n`,
    [DOCUMENT]: `${documentOf('| `CODE_HELD` | see `GONE` |\n| `GONE` | x |')}\n## Transport\n\n| \`FORBIDDEN\` | x |\n`,
  },
};
