import { AsyncLocalStorage } from 'node:async_hooks';

export const OPERATION_KINDS = ['STAFF', 'PARTNER', 'OPERATOR'] as const;

/** Who runs an operation whose changes are recorded. */
export interface OperationBy {
  /** A member of staff, the server of a partner, or a person at the command line of this machine. */
  readonly kind: (typeof OPERATION_KINDS)[number];
  /** The tenant of the caller; null for an operator, who has none. */
  readonly tenantId: string | null;
  readonly id: string;
  readonly role: string | null;
  /** The session or the API key. */
  readonly credentialId: string | null;
}

export interface OperationFacts {
  /** As the caller knows it: `updateCampaign`, `PUT /api/imports/:id`, `cli campaign update`. */
  readonly name: string;
  /** Null until a sign-in has proven who it is. */
  readonly by: OperationBy | null;
  readonly ip: string | null;
  readonly requestId: string | null;
  /** Arguments as the caller sent them; they may hold secrets. */
  readonly input: unknown;
  /** Called at the end, with the tables, where the operation wrote outside of recorded transactions: a fault of the code. */
  readonly onUnrecorded: (tables: readonly string[]) => void;
}

/** An operation under way. Its changes are recorded once it is known who runs it. */
export class CurrentOperation {
  by: OperationBy | null;
  isOver = false;
  private readonly unrecorded = new Set<string>();

  constructor(readonly facts: OperationFacts) {
    this.by = facts.by;
  }

  /** A statement wrote by itself, or in a transaction that is not recorded. */
  missed(table: string): void {
    this.unrecorded.add(table);
  }

  end(): void {
    // Timers and queues that were started meanwhile keep the context, and work for others.
    this.isOver = true;
    if (this.by !== null && this.unrecorded.size > 0) this.facts.onUnrecorded([...this.unrecorded]);
  }
}

const current = new AsyncLocalStorage<CurrentOperation | null>();

/** Runs an operation whose changes are recorded, in whatever service they are made. */
export async function duringOperation<T>(facts: OperationFacts, work: () => Promise<T>): Promise<T> {
  const operation = new CurrentOperation(facts);
  try {
    return await current.run(operation, work);
  } finally {
    operation.end();
  }
}

/** Work that is not part of the operation, such as a commit that many share, or the pages of a file. */
export async function outsideOperation<T>(work: () => Promise<T>): Promise<T> {
  return current.run(null, work);
}

/** The operation under way; null outside of one, and for one whose changes are not recorded. */
export function currentOperation(): CurrentOperation | null {
  const operation = current.getStore() ?? null;
  return operation === null || operation.isOver ? null : operation;
}

/** A sign-in has proven who runs the operation. A further run of its transaction opens another session, which counts. */
export function identifyOperation(by: OperationBy): void {
  const operation = currentOperation();
  if (operation?.facts.by === null) operation.by = by;
}
