import type { Actor } from '../graphql/actor.js';
import { KINDS, type Permissions, type Rule } from '../graphql/rule.js';
import { TRANSPORT_PERMISSIONS } from '../transport/route-rules.js';
import { modules } from './modules.js';

const INTRODUCTION = `# Who may do what

Every operation of the schema and every HTTP route with the callers who may use it. The rows stand in the
\`*.permissions.ts\` file of each feature; the transport puts them before every operation, over HTTP and WebSocket. An
operation without a row stops the start. \`npm run permissions\` writes this page, and \`npm run check:permissions\`
compares it.

- Without a token, an operation that is not public answers \`UNAUTHENTICATED\`. A token of a kind or role without a mark
  answers \`FORBIDDEN\`. Nothing is read or written then.
- A malformed, expired or unknown token is refused as a whole, for public operations too: a client that signs in again
  leaves the header out.
- Users see and change their own data only. Staff read their own tenant; all other operations on tenants are for the
  staff of an active PLATFORM tenant; the services of tenants judge that.
`;

const SECTIONS: readonly (readonly [string, keyof Permissions])[] = [
  ['Queries', 'query'],
  ['Mutations', 'mutation'],
  ['Subscriptions', 'subscription'],
  ['HTTP routes', 'http'],
];

/** `docs/permissions.md`. */
export function printPermissions(): string {
  const tables = [...modules.permissionsByModule, { name: 'transport', permissions: TRANSPORT_PERMISSIONS }];
  const sections = SECTIONS.map(([title, kind]) => {
    const rows = tables.flatMap(({ name, permissions }) =>
      Object.entries(permissions[kind] ?? {}).map(([operation, rule]) => rowOf(name, operation, rule)),
    );
    return `## ${title}\n\n${HEAD}\n${rows.join('\n')}\n`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

const COLUMNS = Object.keys(KINDS) as Actor['kind'][];
const HEAD = `| operation | feature | no token | ${COLUMNS.join(' | ')} |\n|---|---|${'---|'.repeat(COLUMNS.length + 1)}`;

function rowOf(feature: string, operation: string, rule: Rule): string {
  const cells = COLUMNS.map((kind) => (rule === 'PUBLIC' ? 'yes' : cellOf(rule[kind])));
  return `| \`${operation}\` | ${feature} | ${rule === 'PUBLIC' ? 'yes' : '–'} | ${cells.join(' | ')} |`;
}

/** Roles are shown as a list. */
function cellOf(condition: string | readonly string[] | undefined): string {
  if (condition === undefined) return '–';
  return condition === 'ANY' ? 'yes' : [condition].flat().join(', ');
}
