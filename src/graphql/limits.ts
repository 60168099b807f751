import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
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

/** What one document may cost at most, before any of it runs. The same object serves HTTP and WebSocket. */
export interface DocumentLimits {
  readonly parseOptions: { readonly maxTokens: number };
  readonly rules: ValidationRule[];
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
  const introspection = config.INTROSPECTION ?? config.NODE_ENV !== 'production';
  const rules: ValidationRule[] = [
    asRule(maxDepthRule({ ...refusal, n: config.GRAPHQL_MAX_DEPTH })),
    asRule(maxAliasesRule({ ...refusal, n: config.GRAPHQL_MAX_ALIASES })),
    asRule(costLimitRule({ ...refusal, maxCost: config.GRAPHQL_MAX_COST })),
    noConditionalSubscriptions,
  ];
  if (!introspection) rules.push(NoSchemaIntrospectionCustomRule);
  return { parseOptions: { maxTokens: config.GRAPHQL_MAX_TOKENS }, rules };
}

function report(context: ValidationContext | null, error: GraphQLError): void {
  context?.reportError(new GraphQLError(error.message.replace('Syntax Error: ', '')));
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
