import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  type ASTVisitor,
  type SelectionNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import type { Config } from '../config.js';
import { isSchemaField, rootFields } from '../graphql/root-fields.js';

/** What one document may cost at most, before any of it runs. The same object serves HTTP and WebSocket. */
export interface DocumentLimits {
  readonly parseOptions: { readonly maxTokens: number };
  readonly rules: ValidationRule[];
  readonly maxCost: number;
}

type LimitSettings = Pick<
  Config,
  | 'GRAPHQL_MAX_DEPTH'
  | 'GRAPHQL_MAX_ALIASES'
  | 'GRAPHQL_MAX_TOKENS'
  | 'GRAPHQL_MAX_COST'
  | 'INTROSPECTION'
  | 'NODE_ENV'
>;

export function documentLimits(config: LimitSettings): DocumentLimits {
  // The armour's own way is to throw out of the validation, which would answer 500.
  const refusal = { propagateOnRejection: false, onReject: [report], flattenFragments: true };
  // By default it lets any number of `__typename` pass.
  const aliases = { ...refusal, n: config.GRAPHQL_MAX_ALIASES, allowList: [] };
  const introspection = config.INTROSPECTION ?? config.NODE_ENV !== 'production';
  const rules: ValidationRule[] = [
    asRule(maxDepthRule({ ...refusal, n: config.GRAPHQL_MAX_DEPTH })),
    asRule(maxAliasesRule(aliases)),
    noConditionalSubscriptions,
    schemaAlone,
  ];
  if (!introspection) rules.push(NoSchemaIntrospectionCustomRule);
  return { parseOptions: { maxTokens: config.GRAPHQL_MAX_TOKENS }, rules, maxCost: config.GRAPHQL_MAX_COST };
}

function report(context: ValidationContext | null, error: GraphQLError): void {
  const message = error.message.replace('Syntax Error: ', '');
  context?.reportError(new GraphQLError(`${message} Ask for less in one operation, or send several.`));
}

/** The answer to a question about the schema is kept, and so must not depend on anything else. */
function schemaAlone(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition: (node) => {
      const fields = rootFields(context.getDocument(), node.selectionSet);
      if (!fields.some(isSchemaField) || fields.every(({ name }) => name.value.startsWith('__'))) return;
      const message = 'Ask for the schema (__schema, __type) in a separate operation.';
      context.reportError(new GraphQLError(message, { nodes: node }));
    },
  };
}

/** A subscription whose only field is left out has nothing to listen to; graphql-js fails at it with a fault of its own. */
function noConditionalSubscriptions(context: ValidationContext): ASTVisitor {
  const visit = (node: SelectionNode): void => {
    const isRoot = context.getParentType() === context.getSchema().getSubscriptionType();
    const isConditional = node.directives?.some(
      ({ name }) => name.value === 'skip' || name.value === 'include',
    );
    if (!isRoot || isConditional !== true) return;
    const message = 'The field of a subscription cannot be left out by @skip or @include.';
    context.reportError(new GraphQLError(message, { nodes: node }));
  };
  return { Field: visit, FragmentSpread: visit, InlineFragment: visit };
}

/** The visitors carry their options as fields, which the type of a visitor does not allow. */
function asRule(rule: (context: ValidationContext) => unknown): ValidationRule {
  return rule as ValidationRule;
}
