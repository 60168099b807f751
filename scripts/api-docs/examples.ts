import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One operation of the API as a client sends it, and its answer. */
export interface ApiExample {
  readonly operation: string;
  readonly document: string;
  /** Whose token is sent: `$operation.path` of an earlier answer, or of what the tests seed (`$demo.ownerToken`). */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** What a reader should know besides. */
  readonly note?: string;
  /** Operations that come before it although it names nothing of their answers. */
  readonly after?: readonly string[];
  /**
   * Values of the answer, by path, for which a query is repeated: what a worker has yet to do. SET is any value but null.
   */
  readonly until?: Readonly<Record<string, unknown>>;
  /** Paths of the answer whose values differ from run to run. */
  readonly varies?: readonly string[];
  readonly answer?: unknown;
}

export const EXAMPLES = fileURLToPath(new URL('../../docs/examples/api/', import.meta.url));
/** What the tests seed, with the values that the pages show for it. */
export const DEMO = 'demo';

/** All examples by their operation; the seeds are an example of their own, which is not sent. */
export function readExamples(): ReadonlyMap<string, ApiExample> {
  const names = readdirSync(EXAMPLES)
    .filter((file) => file.endsWith('.graphql'))
    .map((file) => file.slice(0, -'.graphql'.length));
  return new Map(names.map((operation) => [operation, readExample(operation)]));
}

function readExample(operation: string): ApiExample {
  const document = readFileSync(`${EXAMPLES}${operation}.graphql`, 'utf8').trimEnd();
  const rest = JSON.parse(readFileSync(`${EXAMPLES}${operation}.json`, 'utf8')) as Omit<
    ApiExample,
    'document'
  >;
  return { ...rest, operation, document };
}

/** What the pages show for the seeds. */
export function readDemo(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(`${EXAMPLES}../demo.json`, 'utf8')) as Record<string, string>;
}

const REFERENCE = /^\$(\w+)((?:\.\w+)+)$/;

/** The operations whose answers an example uses, and those that it names. */
function needsOf({ after = [], token, headers, variables }: ApiExample): ReadonlySet<string> {
  const used: string[] = [];
  replaced({ token, headers, variables }, (operation) => {
    used.push(operation);
    return null;
  });
  return new Set([...after, ...used].filter((operation) => operation !== DEMO));
}

/** A value in which each `$operation.path` is replaced. */
export function replaced(value: unknown, by: (operation: string, path: string) => unknown): unknown {
  if (typeof value === 'string') {
    const [, operation, path] = REFERENCE.exec(value) ?? [];
    return operation === undefined || path === undefined ? value : by(operation, path.slice(1));
  }
  if (Array.isArray(value)) return value.map((item) => replaced(item, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, by)]));
}

/** The value at a path such as `campaign.rule.rewardRules.0.targetId`; undefined where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.')) found = (found as Record<string, unknown> | null | undefined)?.[key];
  return found;
}

/** What an operation answered, without the envelope: the payload, or the first event of a subscription. */
export function payloadOf(operation: string, answer: unknown): unknown {
  return valueAt(answer, `data.${operation}`);
}

/** Each example after those that it needs, else by name. @throws for a circle, or a need that has no example */
export function inOrder(examples: ReadonlyMap<string, ApiExample>): readonly ApiExample[] {
  const ordered = new Set<ApiExample>();
  const visit = (operation: string, way: readonly string[]): void => {
    const example = examples.get(operation);
    if (example === undefined) throw new Error(`${way.at(-1)} needs ${operation}, which has no example.`);
    if (ordered.has(example)) return;
    if (way.includes(operation))
      throw new Error(`The examples need each other: ${[...way, operation].join(' → ')}.`);
    for (const need of [...needsOf(example)].toSorted()) visit(need, [...way, operation]);
    ordered.add(example);
  };
  for (const operation of [...examples.keys()].toSorted()) visit(operation, []);
  return [...ordered];
}
