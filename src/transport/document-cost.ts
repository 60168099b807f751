import {
  getNamedType,
  getNullableType,
  getVariableValues,
  GraphQLInt,
  isCompositeType,
  isIntrospectionType,
  isListType,
  isObjectType,
  visit,
  type DocumentNode,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';
import { getComplexity, type ComplexityEstimator } from 'graphql-query-complexity';
import { readPageSize } from '../graphql/page-size.js';

/** A field of an operation's root is a look-up of its own. */
const ROOT_COST = 10;
/** Finding and reading one row of a page, whatever is asked of it. */
const ROW_COST = 10;
/** Items that a list without a size is taken to have. */
const UNSIZED_LIST_LENGTH = 5;
/** The whole description of the schema: executed once and kept, but long. */
const SCHEMA_COST = 1000;
/** A document cannot be made large by spreading its fragments again and again. */
export const NODES_MAX = 10_000;
const COSTS_KEPT = 100;
const KEY_LENGTH_MAX = 200;

type Variables = Readonly<Record<string, unknown>>;

/**
 * What the operations of one document cost. That depends on the document and on the few variables that give a size
 * or leave fields out, so it is worked out once for each of their values.
 */
export class DocumentCost {
  private readonly known = new Map<string, number>();
  private readonly variables: readonly string[];

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly document: DocumentNode,
    private readonly estimator: ComplexityEstimator,
  ) {
    this.variables = costVariables(document);
  }

  /** @throws GraphQLError where the arguments cannot be read with these variables, or the document is too large. */
  of(operation: OperationDefinitionNode, values: Variables): number {
    const key = `${operation.name?.value ?? ''} ${JSON.stringify(this.variables.map((name) => values[name]))}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const { errors } = getVariableValues(this.schema, operation.variableDefinitions ?? [], values);
    // Execution refuses such variables before anything runs, and names each of them.
    if (errors !== undefined) return 0;
    const cost = this.workOut(operation, values);
    if (this.known.size >= COSTS_KEPT) this.known.clear();
    if (key.length <= KEY_LENGTH_MAX) this.known.set(key, cost);
    return cost;
  }

  private workOut(operation: OperationDefinitionNode, variables: Variables): number {
    const name = operation.name?.value;
    return getComplexity({
      schema: this.schema,
      query: this.document,
      variables: { ...variables },
      estimators: [this.estimator],
      maxQueryNodes: NODES_MAX,
      ...(name === undefined ? {} : { operationName: name }),
    });
  }
}

/** A page costs its size times the cost of a row, in every place where it is selected, so that aliases add up. */
export function costEstimator(schema: GraphQLSchema): ComplexityEstimator {
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  const fields = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) ? Object.values(type.getFields()) : [],
  );
  const pages = new Set(fields.filter(hasSize).map(({ type }) => getNamedType(type)));
  return ({ field, type, args, childComplexity }) => {
    if (field.name === '__schema') return SCHEMA_COST + childComplexity;
    if (isIntrospectionType(type)) return 1 + childComplexity;
    const own = roots.has(type as never) && !field.name.startsWith('__') ? ROOT_COST : 1;
    if (hasSize(field)) {
      return own + readPageSize(args['size'] as number | null | undefined) * (ROW_COST + childComplexity);
    }
    return own + (isUnsizedList(field) && !pages.has(type) ? UNSIZED_LIST_LENGTH : 1) * childComplexity;
  };
}

function hasSize(field: GraphQLField<unknown, unknown>): boolean {
  return field.args.some(({ name, type }) => name === 'size' && getNullableType(type) === GraphQLInt);
}

function isUnsizedList(field: GraphQLField<unknown, unknown>): boolean {
  return isListType(getNullableType(field.type)) && isCompositeType(getNamedType(field.type));
}

/** The variables that a size or a condition is made of. */
function costVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  const add = (value: ValueNode): void => {
    visit(value, { Variable: ({ name }) => void names.add(name.value) });
  };
  visit(document, {
    Argument: ({ name, value }) => {
      if (name.value === 'size') add(value);
    },
    Directive: ({ arguments: args }) => args?.forEach(({ value }) => add(value)),
  });
  return [...names];
}
