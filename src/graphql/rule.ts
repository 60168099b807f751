import { GraphQLError } from 'graphql';
import { invariant } from '../platform/assert.js';
import { PARTNER_SCOPES, STAFF_ROLES, type Actor, type PartnerScope, type StaffRole } from './actor.js';

type Kind = Actor['kind'];
type OfKind<K extends Kind> = Extract<Actor, { readonly kind: K }>;

/** What a caller of each kind must have, besides a genuine token. */
interface Conditions {
  readonly USER: 'ANY';
  readonly STAFF: readonly StaffRole[];
  readonly NODE: 'ANY';
  /** One of these scopes. */
  readonly PARTNER: readonly PartnerScope[];
}

/** Who may use an operation: PUBLIC means also without a token; else the kinds of callers. A kind that is missing may not. */
export type Rule = 'PUBLIC' | { readonly [K in Kind]?: Conditions[K] };

/**
 * Who may use the operations of a feature. Every operation of the schema and every HTTP route has exactly one row;
 * without it the schema and the server are not built. `docs/permissions.md` shows the rows of all features.
 */
export interface Permissions {
  readonly query?: Readonly<Record<string, Rule>>;
  readonly mutation?: Readonly<Record<string, Rule>>;
  readonly subscription?: Readonly<Record<string, Rule>>;
  /** By method and path, such as `PUT /api/imports/:id`. */
  readonly http?: Readonly<Record<string, Rule>>;
}

export const PUBLIC = 'PUBLIC' satisfies Rule;
export const USERS = { USER: 'ANY' } as const satisfies Rule;
export const NODES = { NODE: 'ANY' } as const satisfies Rule;
export const STAFF = { STAFF: STAFF_ROLES } as const satisfies Rule;
/** Members of staff who may change the tenant's data. */
export const EDITORS = { STAFF: ['OWNER', 'OPERATOR'] } as const satisfies Rule;
/** Servers of partners, whatever their keys are for. */
export const PARTNERS = { PARTNER: PARTNER_SCOPES } as const satisfies Rule;
export const OWNERS = { STAFF: ['OWNER'] } as const satisfies Rule;

/** How each kind is named in a refusal. */
export const KINDS: { readonly [K in Kind]: { readonly many: string; readonly one: string } } = {
  USER: { many: 'users', one: 'a user' },
  STAFF: { many: 'staff', one: 'a member of staff' },
  NODE: { many: 'nodes', one: 'a node' },
  PARTNER: { many: 'partners', one: 'a partner' },
};

/** What a caller of a permitted kind lacks, as the message says it; null where it has all that the condition asks for. */
const LACKS: { readonly [K in Kind]: (condition: Conditions[K], actor: OfKind<K>) => string | null } = {
  USER: () => null,
  NODE: () => null,
  PARTNER: (scopes, { scopes: own }) =>
    scopes.some((scope) => own.includes(scope))
      ? null
      : `This takes an API key with the scope ${scopes.join(' or ')}, which the key sent does not have.`,
  STAFF: (roles, { role }) =>
    roles.includes(role) ? null : `The role ${role} may not do this; it takes ${roles.join(' or ')}.`,
};

/** Whether the caller may use an operation with this rule. */
export function permits(rule: Rule, actor: Actor): boolean {
  return rule === 'PUBLIC' || (rule[actor.kind] !== undefined && lackOf(rule, actor) === null);
}

/** Why the caller may not use an operation with this rule, or null. */
export function denialOf(rule: Rule, actor: Actor | null): GraphQLError | null {
  if (rule === 'PUBLIC') return null;
  if (actor === null) return signInFirst();
  const condition = rule[actor.kind];
  if (condition === undefined)
    return forbidden(`${only(rule)}; the token sent belongs to ${KINDS[actor.kind].one}.`);
  const lack = lackOf(rule, actor);
  return lack === null ? null : forbidden(lack);
}

function lackOf(rule: Exclude<Rule, 'PUBLIC'>, actor: Actor): string | null {
  const lacks = LACKS[actor.kind] as (condition: unknown, actor: Actor) => string | null;
  return lacks(rule[actor.kind], actor);
}

/** A caller without a token. */
export function signInFirst(): GraphQLError {
  return new GraphQLError('Sign in first: send the header `authorization: Bearer <token>`.', {
    extensions: { code: 'UNAUTHENTICATED' },
  });
}

/** The token is good, and may not do this. */
export function forbidden(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } });
}

function only(rule: Exclude<Rule, 'PUBLIC'>): string {
  const names = (Object.keys(rule) as Kind[]).map((kind) => KINDS[kind].many);
  return `Only ${names.join(' and ')} may do this`;
}

/** One table of several. @throws InvariantError for an operation that two of them have */
export function joinPermissions(tables: readonly Permissions[]): Permissions {
  return {
    query: joined(tables, 'query'),
    mutation: joined(tables, 'mutation'),
    subscription: joined(tables, 'subscription'),
    http: joined(tables, 'http'),
  };
}

function joined(tables: readonly Permissions[], kind: keyof Permissions): Record<string, Rule> {
  const rows = tables.flatMap((table) => Object.entries(table[kind] ?? {}));
  const all = Object.fromEntries(rows);
  invariant(Object.keys(all).length === rows.length, `Two modules have a row for the same ${kind}.`);
  return all;
}
