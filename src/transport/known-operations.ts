import type { FastifyRequest } from 'fastify';
import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { RequestContext } from '../graphql/context.js';
import { keyedFields } from '../graphql/idempotency-key.js';
import type { ApqCache } from './apq.redis.js';
import type { Documents, ReadableDocument } from './documents.js';
import { presentError } from './error-format.js';
import { PreparedOperation } from './prepared-operation.js';
import { asksForSchema } from './schema-answers.js';

/** A reply of the GraphQL route. */
export interface GraphqlReply {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string;
}

interface Parts {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly apq: ApqCache;
  readonly contextOf: (request: FastifyRequest) => RequestContext;
  readonly hideSuggestions: boolean;
}

/** A POST in its ordinary form. */
interface Wish {
  readonly query: string;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

const ACCEPTS_MAX = 100;

/**
 * Executes operations whose text was read before, without Apollo: its pipeline costs several times what executing a
 * short operation does. Whatever is not ordinary is left to Apollo: other methods, texts that are new or cannot run or
 * are to be stored, subscriptions, questions about the schema, wrong variables, and every refusal of a whole request.
 */
export class KnownOperations {
  /** What Apollo chose for an `accept` header. */
  private readonly contentTypes = new LRUCache<string, string>({ max: ACCEPTS_MAX });
  /** Null for those that Apollo answers. */
  private readonly prepared = new WeakMap<OperationDefinitionNode, PreparedOperation | null>();

  constructor(private readonly parts: Parts) {}

  /** Apollo has answered this request with status 200 and this type. */
  learn({ method, headers }: FastifyRequest, contentType: string | undefined): void {
    if (method === 'POST' && contentType !== undefined)
      this.contentTypes.set(headers.accept ?? '', contentType);
  }

  /** @returns null where Apollo has to answer; nothing was done then */
  async reply(request: FastifyRequest): Promise<GraphqlReply | null> {
    const contentType = this.contentTypes.get(request.headers.accept ?? '');
    const wish = contentType === undefined ? null : this.wishOf(request);
    if (contentType === undefined || wish === null) return null;
    const read = this.parts.documents.known(wish.query);
    const operation = read === null ? null : getOperationAST(read.document, wish.operationName);
    const prepared = read && operation ? this.preparedOf(read.document, operation) : null;
    if (read === null || !operation || prepared === null) return null;
    const context = this.admitted(request, read, operation, wish);
    if (context === null) return null;
    const result = await prepared.execute(wish.variables, context);
    // Refused before any resolver ran, for instance because of a variable.
    if (result.data === undefined) return null;
    return this.replyOf(result, contentType, context);
  }

  /** The context, or null where the request is refused: Apollo words that. */
  private admitted(
    request: FastifyRequest,
    read: ReadableDocument,
    operation: OperationDefinitionNode,
    { variables }: Wish,
  ): RequestContext | null {
    try {
      this.parts.documents.requireAffordable(read, operation, variables);
      return this.parts.contextOf(request);
    } catch (error) {
      if (error instanceof GraphQLError) return null;
      throw error;
    }
  }

  private wishOf({ method, body }: FastifyRequest): Wish | null {
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

  private preparedOf(document: DocumentNode, operation: OperationDefinitionNode): PreparedOperation | null {
    let prepared = this.prepared.get(operation);
    if (prepared === undefined) {
      const { schema } = this.parts;
      const isOrdinary =
        operation.operation !== OperationTypeNode.SUBSCRIPTION &&
        !asksForSchema(document, operation) &&
        keyedFields(schema, document, operation).length <= 1;
      prepared = isOrdinary ? new PreparedOperation(schema, document, operation) : null;
      this.prepared.set(operation, prepared);
    }
    return prepared;
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
    if (errors === undefined) return { status: 200, headers, body: `${JSON.stringify({ data })}\n` };
    let status = 200;
    for (const { extensions } of errors) {
      const http = extensions['http'] as { status?: number; headers?: Map<string, string> } | undefined;
      status = http?.status ?? status;
      for (const [name, value] of http?.headers ?? []) headers.set(name, value);
    }
    const shown = errors.map((error) => presentError(error, context, this.parts.hideSuggestions));
    return { status, headers, body: `${JSON.stringify({ errors: shown, data })}\n` };
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
