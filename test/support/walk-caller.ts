import type { Rule } from '../../src/graphql/rule.js';

export interface WalkOperation {
  readonly rule: Rule;
  /** The access of permitted callers is judged by its service, so others learn first that they are not permitted. */
  readonly judgesAccess: boolean;
}

/** A caller of the walk through all operations. */
export interface WalkCaller {
  readonly name: string;
  /** Null where none is sent. */
  readonly token: string | null;
  /** The code by which an operation is denied to the caller; null where it is permitted. */
  readonly denied: (operation: WalkOperation) => string | null;
  /** Whether a socket is closed with 4403 before any operation. */
  readonly hasNoSocket: boolean;
}
