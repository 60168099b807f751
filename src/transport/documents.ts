import {
  BREAK,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { ComplexityEstimator } from 'graphql-query-complexity';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../platform/scheduling/fair-queue.js';
import { costEstimator, DocumentCost, NODES_MAX } from './document-cost.js';
import type { DocumentLimits } from './limits.js';
import type { ReadingBudget } from './reading-budget.js';

const KEPT_BYTES_MAX = 67_108_864;
/** What a document takes in memory, with its tokens, positions and plan, for each character of its text. */
const BYTES_PER_CHARACTER = 300;
/** A refused text is kept with its errors. */
const BYTES_PER_ERROR = 1000;
/** Errors listed of one document; each takes time to find. */
const ERRORS_MAX = 10;

/** A text that can run. */
export interface ReadableDocument {
  readonly document: DocumentNode;
  readonly cost: DocumentCost;
  /** It holds a text that is written out, which may be a code. */
  readonly holdsText: boolean;
}

/** A text that cannot run, and why. */
export interface RefusedDocument {
  readonly errors: readonly GraphQLError[];
}

/**
 * Reads the texts of operations. Each is parsed, validated and judged once, and kept for HTTP and WebSocket alike;
 * so is the refusal of one that is wrong. A new text costs its caller from a budget.
 */
export class Documents {
  private readonly estimator: ComplexityEstimator;
  private readonly kept = new LRUCache<string, ReadableDocument | RefusedDocument>({
    maxSize: KEPT_BYTES_MAX,
    sizeCalculation: (read, text) =>
      'errors' in read
        ? text.length + read.errors.length * BYTES_PER_ERROR
        : text.length * BYTES_PER_CHARACTER,
  });

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly limits: DocumentLimits,
    private readonly budget: ReadingBudget,
  ) {
    this.estimator = costEstimator(schema);
  }

  /** @throws GraphQLError RATE_LIMITED when the caller has sent too many new texts lately. */
  read(text: string, caller: Caller): ReadableDocument | RefusedDocument {
    const known = this.kept.get(text);
    if (known !== undefined) return known;
    const read = this.budget.spend(caller, () => this.readNew(text));
    this.kept.set(text, read);
    return read;
  }

  /** Reads a text without charging a caller: one that was judged before, of which there are few. */
  prepare(text: string): void {
    if (!this.kept.has(text)) this.kept.set(text, this.readNew(text));
  }

  /** What a text would be read as; it is not kept. */
  judged(text: string): ReadableDocument | RefusedDocument {
    return this.readNew(text);
  }

  /** A text that was read and can run, or null. */
  known(text: string): ReadableDocument | null {
    const read = this.kept.get(text);
    return read === undefined || 'errors' in read ? null : read;
  }

  /** A text that was read, can run, and holds no text that may be a code. */
  mayBeStored(text: string): boolean {
    return this.known(text)?.holdsText === false;
  }

  /** @throws GraphQLError QUERY_TOO_COSTLY, or why the arguments cannot be read */
  requireAffordable(
    { cost }: ReadableDocument,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ): void {
    const { maxCost } = this.limits;
    const found = costOf(cost, operation, variables);
    if (found <= maxCost) return;
    const message =
      `This operation costs ${found}, and ${maxCost} is the most: a page costs its size times the cost of a row. ` +
      'Ask for fewer rows, fields or lists at once, or send several operations.';
    throw badRequest(new GraphQLError(message), 'QUERY_TOO_COSTLY', { cost: found, limit: maxCost });
  }

  private readNew(text: string): ReadableDocument | RefusedDocument {
    let document: DocumentNode;
    try {
      document = parse(text, this.limits.parseOptions);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return { errors: [badRequest(plain(error), 'GRAPHQL_PARSE_FAILED')] };
    }
    const rules = [...specifiedRules, ...this.limits.rules];
    const errors = validate(this.schema, document, rules, { maxErrors: ERRORS_MAX });
    if (errors.length > 0) {
      return { errors: errors.map((error) => badRequest(plain(error), 'GRAPHQL_VALIDATION_FAILED')) };
    }
    const cost = new DocumentCost(this.schema, document, this.estimator);
    return { document, cost, holdsText: holdsText(document) };
  }
}

const TOO_MANY_NODES = `This operation selects more than ${NODES_MAX} fields, those of its fragments counted wherever they are spread. Select fewer, or send several operations.`;

function costOf(
  cost: DocumentCost,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number {
  try {
    return cost.of(operation, variables);
  } catch (error) {
    if (error instanceof GraphQLError && error.message.includes('number of nodes'))
      throw badRequest(new GraphQLError(TOO_MANY_NODES), 'QUERY_TOO_COSTLY');
    if (error instanceof GraphQLError) throw badRequest(error, 'BAD_USER_INPUT');
    throw error;
  }
}

/** Says what graphql-js means where its own words do not. */
function plain(error: GraphQLError): GraphQLError {
  if (error.message.startsWith('Too many validation errors')) {
    return new GraphQLError(
      `This document has more than ${ERRORS_MAX} errors, and only the first are listed. Correct them, then send it again.`,
    );
  }
  if (error.message === 'Validation aborted.') {
    return new GraphQLError(
      'This document selects the same field in one place so often that its selections cannot be compared. Select each field once, or send several documents.',
    );
  }
  const tokens = / (\d+) tokens\. Parsing aborted/.exec(error.message)?.[1];
  if (tokens === undefined) return error;
  return new GraphQLError(
    `This document has more than ${tokens} tokens, which is the limit. Send a shorter one, or several.`,
  );
}

function badRequest(
  error: GraphQLError,
  code: string,
  details: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  Object.assign(error.extensions, { ...details, code, http: { status: 400, headers: new Map() } });
  return error;
}

function holdsText(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    StringValue: ({ value }) => {
      if (value === '') return undefined;
      found = true;
      return BREAK;
    },
  });
  return found;
}
