import { HeaderMap, type ApolloServerPlugin } from '@apollo/server';
import { GraphQLError, parse, type ExecutionResult } from 'graphql';
import { callerOf, refusalIn } from './caller.js';
import type { RequestContext } from '../graphql/context.js';
import type { Documents, ReadableDocument, RefusedDocument } from './documents.js';
import { asksForSchema, type SchemaAnswers } from './schema-answers.js';
import type { WorkShares } from './work-shares.js';

/** Stands for a text that cannot run until its refusal is answered, so that Apollo does not read the text itself. */
const NOTHING = parse('{ __typename }');

/** Everything that is wrong with one document; Apollo takes a single error from a plugin. */
export class DocumentError extends GraphQLError {
  constructor(readonly errors: readonly GraphQLError[]) {
    super('The document cannot run.', { extensions: errors[0]?.extensions ?? null });
  }
}

/** Has Apollo run what {@link Documents} has read and judged, and answers what is asked of the schema itself. */
export function documentPlugin(
  documents: Documents,
  answers: SchemaAnswers,
  shares: WorkShares,
): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async ({ contextValue }) => {
      const caller = callerOf(contextValue);
      let read: ReadableDocument | RefusedDocument;
      let answer: ExecutionResult | null = null;
      return {
        didResolveSource: async (request) => {
          read = readOrRefusal(() => documents.read(request.source, caller));
          Object.assign(request, { document: 'errors' in read ? NOTHING : read.document });
        },
        didResolveOperation: async ({ operation, request: { variables = {} } }) => {
          const refusal = refusalOf(read, (readable) => {
            if (operation) documents.requireAffordable(readable, operation, variables);
          });
          // Apollo refuses a document without the operation by itself.
          if (refusal !== null || !operation) await shares.refusing(caller);
          if (refusal !== null) throw refusal;
          if (!operation || 'errors' in read || !asksForSchema(read.document, operation)) return;
          answer = await answers.answer({ document: read.document, operation, variables }, caller);
          if (answer.errors !== undefined) throw new DocumentError(answer.errors);
        },
        responseForOperation: async () => {
          if (answer === null) return null;
          return {
            http: { headers: new HeaderMap() },
            body: { kind: 'single', singleResult: { data: answer.data ?? null } },
          };
        },
      };
    },
  };
}

/** Why a text cannot run, or costs too much. */
function refusalOf(
  read: ReadableDocument | RefusedDocument,
  judge: (readable: ReadableDocument) => void,
): GraphQLError | null {
  if ('errors' in read) return new DocumentError(read.errors);
  try {
    judge(read);
    return null;
  } catch (error) {
    return refusalIn(error);
  }
}

function readOrRefusal(read: () => ReadableDocument | RefusedDocument): ReadableDocument | RefusedDocument {
  try {
    return read();
  } catch (error) {
    return { errors: [refusalIn(error)] };
  }
}
