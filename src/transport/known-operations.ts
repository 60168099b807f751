import type { FastifyRequest } from 'fastify';
import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { RequestContext } from '../graphql/context.js';
import { keyedFields } from '../graphql/idempotency-key.js';
import type { ApqCache } from './apq.redis.js';
import { isRecord } from './asked-operation.js';
import type { ReadableDocument } from './documents.js';
import { callerOf, refusalIn } from './caller.js';
import { presentError } from './error-format.js';
import type { TransportParts } from './parts.js';
import { PreparedOperation } from './prepared-operation.js';
import { asksForSchema } from './schema-answers.js';

/** A reply of the GraphQL route. */
export interface GraphqlReply {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string | Buffer;
}

export interface KnownParts extends TransportParts {
  readonly apq: ApqCache;
  readonly contextOf: (request: FastifyRequest) => RequestContext;
}

/**
 * Null where a variable is wrong and Apollo says so.
 * @throws where nothing was done, because its turn did not come
 */
type Execution = (
  variables: OrdinaryPost['variables'],
  context: RequestContext,
) => Promise<ExecutionResult | null>;

/** A POST in its ordinary form. */
interface OrdinaryPost {
  readonly query: string;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

const ACCEPTS_MAX = 100;

/**
 * Executes operations whose text was read before, without Apollo: its pipeline costs several times what executing a
 * short operation does. Whatever is not ordinary is left to Apollo: other methods, texts that are new or cannot run or
 * are to be stored, subscriptions, wrong variables, and every refusal of a whole request.
 */
export class KnownOperations {
  /** What Apollo chose for an `accept` header. */
  private readonly contentTypes = new LRUCache<string, string>({ max: ACCEPTS_MAX });
  /** Null for those that Apollo answers. */
  private readonly executions = new WeakMap<OperationDefinitionNode, Execution | null>();

  constructor(private readonly parts: KnownParts) {}

  /** Apollo has answered this request with status 200 and this type. */
  learn({ method, headers }: FastifyRequest, contentType: string | undefined): void {
    if (method === 'POST' && contentType !== undefined)
      this.contentTypes.set(headers.accept ?? '', contentType);
  }

  /** @returns null where Apollo has to answer; nothing was done then */
  async reply(request: FastifyRequest): Promise<GraphqlReply | null> {
    const contentType = this.contentTypes.get(request.headers.accept ?? '');
    const post = contentType === undefined ? null : this.ordinaryPost(request);
    if (contentType === undefined || post === null) return null;
    const read = this.parts.documents.known(post.query);
    const operation = read === null ? null : getOperationAST(read.document, post.operationName);
    const execution = read && operation ? this.executionOf(read.document, operation) : null;
    if (read === null || !operation || execution === null) return null;
    const context = this.admitted(request, read, operation, post);
    if (context === null) return null;
    try {
      const result = await execution(post.variables, context);
      return result && this.replyOf(result, contentType, context);
    } catch (error) {
      return this.replyOf({ errors: [asGraphqlError(error)] }, contentType, context);
    }
  }

  /** The context, or null where the request is refused: Apollo words that. */
  private admitted(
    request: FastifyRequest,
    read: ReadableDocument,
    operation: OperationDefinitionNode,
    { variables }: OrdinaryPost,
  ): RequestContext | null {
    try {
      this.parts.documents.requireAffordable(read, operation, variables);
      return this.parts.contextOf(request);
    } catch (error) {
      refusalIn(error);
      return null;
    }
  }

  private ordinaryPost({ method, body }: FastifyRequest): OrdinaryPost | null {
    if (method !== 'POST' || !isRecord(body)) return null;
    const { operationName, variables, extensions } = body;
    if (!isAbsent(operationName) && typeof operationName !== 'string') return null;
    if (!isAbsent(variables) && !isRecord(variables)) return null;
    if (!isAbsent(extensions) && !isRecord(extensions)) return null;
    const query = this.textOf(body['query'], extensions?.['persistedQuery']);
    return query === null ? null : { query, operationName, variables: variables ?? {} };
  }

  /** A text with a hash beside it is to be stored, which Apollo does. */
  private textOf(query: unknown, persisted: unknown): string | null {
    if (isAbsent(persisted)) return typeof query === 'string' ? query : null;
    return query === undefined ? this.parts.apq.known(persisted) : null;
  }

  private executionOf(document: DocumentNode, operation: OperationDefinitionNode): Execution | null {
    let execution = this.executions.get(operation);
    if (execution === undefined) {
      execution = this.newExecution(document, operation);
      this.executions.set(operation, execution);
    }
    return execution;
  }

  private newExecution(document: DocumentNode, operation: OperationDefinitionNode): Execution | null {
    const { schema, answers } = this.parts;
    if (asksForSchema(document, operation)) {
      return async (variables, context) =>
        answers.answer({ document, operation, variables }, callerOf(context));
    }
    if (operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
    if (keyedFields(schema, document, operation).length > 1) return null;
    const prepared = new PreparedOperation(schema, document, operation);
    return async (variables, context) => {
      const result = await prepared.execute(variables, context);
      return result.data === undefined ? null : result;
    };
  }

  private replyOf(
    { data, errors }: ExecutionResult,
    contentType: string,
    context: RequestContext,
  ): GraphqlReply {
    const headers = new Map([
      ['x-request-id', context.requestId],
      ['content-type', contentType],
    ]);
    if (errors === undefined) return { status: 200, headers, body: this.parts.answers.bodyOf(data) };
    let status = data === undefined ? 500 : 200;
    for (const { extensions } of errors) {
      const http = extensions['http'] as { status?: number; headers?: Map<string, string> } | undefined;
      status = http?.status ?? status;
      for (const [name, value] of http?.headers ?? []) headers.set(name, value);
    }
    const shown = errors.map((error) => presentError(error, context, this.parts.hideSuggestions));
    return { status, headers, body: `${JSON.stringify({ errors: shown, data })}\n` };
  }
}

function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError('The operation was not executed.', { originalError: error as Error });
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
