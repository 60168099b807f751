import type { SubscribePayload } from 'graphql-ws';
import { LRUCache } from 'lru-cache';
import {
  getOperationAST,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLSchema,
} from 'graphql';
import type { RequestContext } from './context.js';
import type { DocumentLimits } from './limits.js';

const CACHED_TEXT_MAX_BYTES = 4_194_304;

/**
 * Reads operations that come over a socket. graphql-ws validates by itself and knows nothing of Apollo's rules,
 * so they are applied here; what is valid is remembered, because clients subscribe with the same few texts.
 */
export class SocketOperations {
  private readonly valid = new LRUCache<string, DocumentNode>({
    maxSize: CACHED_TEXT_MAX_BYTES,
    sizeCalculation: (_document, text) => text.length + 1,
  });

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly limits: DocumentLimits,
  ) {}

  /** The arguments of the execution, or what is wrong with the operation, with Apollo's codes. */
  prepare(payload: SubscribePayload, contextValue: RequestContext): ExecutionArgs | GraphQLError[] {
    const document = this.valid.get(payload.query) ?? this.read(payload.query);
    if (Array.isArray(document)) return document;
    const operationName = payload.operationName ?? null;
    if (!getOperationAST(document, operationName)) {
      const message =
        operationName === null ? 'Name the operation to run.' : 'There is no operation of that name.';
      return [new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } })];
    }
    return {
      schema: this.schema,
      document,
      operationName,
      variableValues: payload.variables ?? null,
      contextValue,
    };
  }

  private read(text: string): DocumentNode | GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(text, this.limits.parseOptions);
    } catch (error) {
      if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_PARSE_FAILED')];
      throw error;
    }
    const errors = validate(this.schema, document, [...specifiedRules, ...this.limits.rules]);
    if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
    this.valid.set(text, document);
    return document;
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  Object.assign(error.extensions, { code });
  return error;
}
