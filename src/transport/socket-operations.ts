import type { SubscribePayload } from 'graphql-ws';
import {
  execute,
  getOperationAST,
  GraphQLError,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { callerOf, refusalIn } from './caller.js';
import type { RequestContext } from '../graphql/context.js';
import type { Documents } from './documents.js';
import { asksForSchema, type SchemaAnswers } from './schema-answers.js';

/**
 * Operations that come over a socket. graphql-ws would validate by itself and knows nothing of the limits, so
 * documents come from the same place as over HTTP.
 */
export class SocketOperations {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly documents: Documents,
    private readonly answers: SchemaAnswers,
  ) {}

  /** The arguments of the execution, or what is wrong with the operation, with Apollo's codes. */
  prepare(payload: SubscribePayload, contextValue: RequestContext): ExecutionArgs | readonly GraphQLError[] {
    try {
      return this.read(payload, contextValue);
    } catch (error) {
      return [refusalIn(error)];
    }
  }

  async execute(args: ExecutionArgs): Promise<ExecutionResult> {
    const { document, operationName, variableValues, contextValue } = args;
    const operation = getOperationAST(document, operationName);
    if (!operation || !asksForSchema(document, operation)) return execute(args);
    const question = { document, operation, variables: variableValues ?? {} };
    return this.answers.answer(question, callerOf(contextValue as RequestContext));
  }

  private read(
    payload: SubscribePayload,
    contextValue: RequestContext,
  ): ExecutionArgs | readonly GraphQLError[] {
    const read = this.documents.read(payload.query, callerOf(contextValue));
    if ('errors' in read) return read.errors;
    const { document } = read;
    const operationName = payload.operationName ?? null;
    const operation = getOperationAST(document, operationName);
    if (!operation) {
      const message =
        operationName === null ? 'Name the operation to run.' : 'There is no operation of that name.';
      return [new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } })];
    }
    const variableValues = payload.variables ?? null;
    this.documents.requireAffordable(read, operation, variableValues ?? {});
    return { schema: this.schema, document, operationName, variableValues, contextValue };
  }
}
