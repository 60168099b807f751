import {
  execute,
  getArgumentValues,
  getVariableValues,
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { RequestContext } from '../graphql/context.js';
import { PlainReplies, type Read } from './plain-reply.js';

type Variables = Readonly<Record<string, unknown>>;
type Field = GraphQLField<unknown, RequestContext>;
type Resolver = GraphQLFieldResolver<unknown, RequestContext>;

/** graphql-js's own bound. */
const VARIABLE_ERRORS_MAX = 50;

/** What the resolver of a root field gave: graphql-js continues from it and does not call the resolver again. */
class SettledRoot {
  constructor(readonly result: Promise<unknown>) {}
}

/** The one root field of an operation, and how to read its reply. */
interface Plan {
  readonly key: string;
  readonly node: FieldNode;
  readonly field: GraphQLField<unknown, unknown>;
  readonly resolve: Resolver;
  readonly read: Read;
  readonly facts: Omit<GraphQLResolveInfo, 'variableValues'>;
}

/**
 * An operation that is executed often. Where it has one root field and its reply holds nothing but properties of what
 * the field's resolver gives, plain replies are read off without graphql-js, which takes several times as long.
 * Whatever is not plain (an error, a null in the wrong place, a promise) is graphql-js's to complete.
 */
export class PreparedOperation {
  private readonly plan: Plan | null;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
  ) {
    this.plan = planOf(schema, document, operation);
  }

  /** @returns errors without data where the operation is refused before any resolver ran */
  async execute(variables: Variables, context: RequestContext): Promise<ExecutionResult> {
    const { plan, schema, operation } = this;
    if (plan === null) return this.executeByGraphqlJs(variables, context);
    const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, {
      maxErrors: VARIABLE_ERRORS_MAX,
    });
    if (errors !== undefined) return { errors };
    const args = argumentsOf(plan, coerced);
    if (args === null) return this.executeByGraphqlJs(variables, context);
    const result = resultOf(plan, args, context, coerced);
    try {
      return { data: { [plan.key]: plan.read(await result) } };
    } catch {
      return this.executeByGraphqlJs(variables, context, new SettledRoot(result));
    }
  }

  private async executeByGraphqlJs(
    variableValues: Variables,
    contextValue: RequestContext,
    rootValue?: SettledRoot,
  ): Promise<ExecutionResult> {
    const { schema, document, operation } = this;
    const operationName = operation.name?.value;
    return execute({ schema, document, rootValue, contextValue, variableValues, operationName });
  }
}

function planOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Plan | null {
  const parentType = schema.getRootType(operation.operation);
  if (!parentType) return null;
  const replies = new PlainReplies(schema, document);
  const [root, ...others] = replies.fieldsOf(parentType, [operation.selectionSet]) ?? [];
  if (root === undefined || others.length > 0) return null;
  const [key, fieldNodes] = root;
  const [node] = fieldNodes;
  const field = node && parentType.getFields()[node.name.value];
  const read = field && replies.readerOf(field.type, fieldNodes);
  const resolve = field && replayable(field);
  if (!read || !resolve) return null;
  const facts = {
    fieldName: field.name,
    fieldNodes,
    returnType: field.type,
    parentType,
    path: { prev: undefined, key, typename: parentType.name },
    schema,
    fragments: replies.fragments,
    rootValue: undefined,
    operation,
  };
  return { key, node, field, resolve, read, facts };
}

const replayables = new WeakSet<Resolver>();

/** Has the field's resolver answer from what it gave before, where there is that. */
function replayable(field: Field): Resolver | null {
  const { resolve } = field;
  if (resolve === undefined || replayables.has(resolve)) return resolve ?? null;
  const replaying: Resolver = (source, args, context, info) =>
    source instanceof SettledRoot ? source.result : resolve(source, args, context, info);
  replayables.add(replaying);
  field.resolve = replaying;
  return replaying;
}

/** Null where they are wrong: graphql-js says why. */
function argumentsOf({ field, node }: Plan, coerced: Variables): Record<string, unknown> | null {
  try {
    return getArgumentValues(field, node, coerced);
  } catch {
    return null;
  }
}

async function resultOf(
  { resolve, facts }: Plan,
  args: Record<string, unknown>,
  context: RequestContext,
  variableValues: Variables,
): Promise<unknown> {
  return resolve(undefined, args, context, { ...facts, variableValues });
}
