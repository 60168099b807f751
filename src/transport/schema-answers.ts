import {
  execute,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type FormattedExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../platform/scheduling/fair-queue.js';
import { isSchemaField, rootFields } from '../graphql/root-fields.js';
import type { ReadingBudget } from './reading-budget.js';
import type { WorkShares } from './work-shares.js';

const KEPT_BYTES_MAX = 16_777_216;
const VARIABLES_LENGTH_MAX = 1000;

interface SchemaQuestion {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

interface Written {
  readonly text: string;
  readonly bytes: Buffer;
}

/**
 * Answers what is asked of the schema itself. The schema never changes while a process runs, so a question is
 * executed and written out once; and because anyone may ask, without a token, answers are given in turn.
 */
export class SchemaAnswers {
  private readonly kept = new LRUCache<string, ExecutionResult>({
    maxSize: KEPT_BYTES_MAX,
    // The tree, its text, the bytes of a reply, and the key, which holds the whole document.
    sizeCalculation: (answer, key) =>
      6 * (this.written.get(answer.data as object)?.text.length ?? 0) + 2 * key.length + 1,
  });
  private readonly written = new WeakMap<object, Written>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly budget: ReadingBudget,
    private readonly shares: WorkShares,
  ) {}

  /**
   * @returns errors without data where the variables do not fit: nothing else can be wrong with such a question
   * @throws GraphQLError RATE_LIMITED
   */
  async answer(question: SchemaQuestion, caller: Caller): Promise<ExecutionResult> {
    const leave = await this.shares.enter('reads', caller);
    try {
      await this.shares.turns.next(caller);
      return this.answerNow(question, caller);
    } finally {
      leave();
    }
  }

  private answerNow(question: SchemaQuestion, caller: Caller): ExecutionResult {
    const key = keyOf(question);
    const known = key === null ? undefined : this.kept.get(key);
    if (known !== undefined) return known;
    const answer = this.budget.spend(caller, () => this.execute(question));
    if (answer.errors !== undefined) return { errors: answer.errors.map(asBadInput) };
    if (key === null || !answer.data) return answer;
    const text = JSON.stringify({ data: answer.data });
    this.written.set(answer.data, { text, bytes: Buffer.from(`${text}\n`) });
    this.kept.set(key, answer);
    return answer;
  }

  /** A result as JSON; what was written before is not written again. */
  stringify(result: FormattedExecutionResult): string {
    const { data, errors, extensions } = result;
    const isPlain = data && errors === undefined && extensions === undefined;
    return (isPlain ? this.written.get(data)?.text : undefined) ?? JSON.stringify(result);
  }

  /** The body of a reply without errors. */
  bodyOf(data: ExecutionResult['data']): Buffer | string {
    return (data && this.written.get(data)?.bytes) ?? `${JSON.stringify({ data })}\n`;
  }

  /** No resolver of the schema's own description waits for anything. */
  private execute({ document, operation, variables }: SchemaQuestion): ExecutionResult {
    return execute({
      schema: this.schema,
      document,
      operationName: operation.name?.value,
      variableValues: variables,
    }) as ExecutionResult;
  }
}

/** Whether an operation asks for the schema, and so for nothing else: a rule refuses to mix them. */
export function asksForSchema(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  if (operation.operation !== OperationTypeNode.QUERY) return false;
  return rootFields(document, operation.selectionSet).some(isSchemaField);
}

function asBadInput(error: GraphQLError): GraphQLError {
  Object.assign(error.extensions, { code: 'BAD_USER_INPUT', http: { status: 400, headers: new Map() } });
  return error;
}

function keyOf({ document, operation, variables }: SchemaQuestion): string | null {
  const values = JSON.stringify(variables);
  if (values.length > VARIABLES_LENGTH_MAX) return null;
  return [operation.name?.value ?? '', values, document.loc?.source.body ?? ''].join('\n');
}
