import { GraphQLError, Kind, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import type { CheckedOperation } from '../identity/partners/registered-operations.service.js';
import type { Config } from '../config.js';
import { Documents, type ReadableDocument } from './documents.js';
import { documentLimits } from './limits.js';
import { ReadingBudget } from './reading-budget.js';

/** Judges texts that are to be registered as requests are judged: by the schema, and by its limits. */
export function operationCheck(schema: GraphQLSchema, config: Config): (text: string) => CheckedOperation {
  const documents = new Documents(schema, documentLimits(config), new ReadingBudget());
  return (text) => {
    const read = documents.judged(text);
    if ('errors' in read) return { problem: read.errors.map(({ message }) => message).join(' ') };
    const operations = read.document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
    const [operation] = operations;
    if (operation === undefined || operations.length > 1)
      return { problem: `A text holds one operation, and this one holds ${operations.length}.` };
    const problem = costProblem(documents, read, operation);
    if (problem !== null) return { problem };
    return { name: operation.name?.value ?? null, type: operation.operation };
  };
}

/** What depends on variables is judged again with them, when it is run. */
function costProblem(
  documents: Documents,
  read: ReadableDocument,
  operation: OperationDefinitionNode,
): string | null {
  try {
    documents.requireAffordable(read, operation, {});
    return null;
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return error.extensions['code'] === 'QUERY_TOO_COSTLY' ? error.message : null;
  }
}
