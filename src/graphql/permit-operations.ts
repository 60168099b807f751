import type { GraphQLField, GraphQLSchema } from 'graphql';
import { InvariantError } from '../platform/assert.js';
import type { Actor } from './actor.js';
import type { RequestContext } from './context.js';
import { SIGNS_STAFF_IN } from './field-marks.js';
import { recordedFor } from './recorded-operation.js';
import { denialOf, permits, type Permissions, type Rule } from './rule.js';

const KINDS = ['query', 'mutation', 'subscription'] as const;
type Field = GraphQLField<unknown, RequestContext>;

/**
 * Puts the row of the table before every operation of the schema: nothing of an operation runs for a caller who may not
 * use it.
 * @throws InvariantError for an operation without a row, and for a row without an operation
 */
export function permitOperations(schema: GraphQLSchema, permissions: Permissions): void {
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  };
  for (const kind of KINDS) {
    const fields = roots[kind]?.getFields() ?? {};
    const rows = new Map(Object.entries(permissions[kind] ?? {}));
    for (const field of Object.values(fields)) {
      const rule = rows.get(field.name);
      if (rule === undefined) throw withoutRow(`${kind} ${field.name}`);
      rows.delete(field.name);
      permit(field, rule, kind === 'mutation');
    }
    const [stale] = rows.keys();
    if (stale !== undefined)
      throw new InvariantError(
        `The table of permissions has the row ${kind} ${stale}, and the schema no such operation.`,
      );
  }
}

/** The rule of an operation. @throws InvariantError for an operation of a schema that has no table */
export function ruleOf({ name, extensions }: GraphQLField<unknown, never>): Rule {
  const rule = extensions['rule'] as Rule | undefined;
  if (rule === undefined) throw withoutRow(name);
  return rule;
}

/** Names of the operations that the caller may use, in the order of the alphabet. */
export function permittedOperations(schema: GraphQLSchema, actor: Actor): string[] {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
    .flatMap((root) => Object.values(root?.getFields() ?? {}))
    .filter((field) => permits(ruleOf(field), actor))
    .map(({ name }) => name)
    .toSorted();
}

export function withoutRow(operation: string): InvariantError {
  return new InvariantError(
    `The operation ${operation} has no row in the table of permissions. Add one to the permissions of its module.`,
  );
}

function permit(field: Field, rule: Rule, isMutation: boolean): void {
  const { resolve, subscribe } = field;
  const signsStaffIn = field.extensions['signsStaffIn'] === SIGNS_STAFF_IN.signsStaffIn;
  field.extensions = { ...field.extensions, rule };
  if (resolve !== undefined)
    field.resolve = (source, args, context, info) => {
      requirePermission(rule, context);
      const run = (): unknown => resolve(source, args, context, info);
      return isMutation ? recordedFor(context, { name: field.name, input: args, signsStaffIn }, run) : run();
    };
  if (subscribe !== undefined)
    field.subscribe = (source, args, context, info) => {
      requirePermission(rule, context);
      return subscribe(source, args, context, info);
    };
}

/** @throws GraphQLError UNAUTHENTICATED or FORBIDDEN */
export function requirePermission(rule: Rule, { actor }: Pick<RequestContext, 'actor'>): void {
  const denial = denialOf(rule, actor);
  if (denial !== null) throw denial;
}
