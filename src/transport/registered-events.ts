import type { ExecutionResult, GraphQLError } from 'graphql';

/** The events of a partner's subscription, which end with an error once its text is no longer registered. */
export class RegisteredEvents implements AsyncGenerator<ExecutionResult, void, void> {
  private refusal: GraphQLError | null = null;
  private rejectPending: ((error: GraphQLError) => void) | null = null;

  /** @param dropped the refusal once the text is no longer registered; else null */
  constructor(
    readonly text: string,
    private readonly dropped: () => Promise<GraphQLError | null>,
    private readonly source: AsyncGenerator<ExecutionResult, void, void>,
  ) {}

  /** The reader gets the error in place of the next event, also while it waits for one. */
  async end(refusal: GraphQLError): Promise<void> {
    this.refusal ??= refusal;
    this.rejectPending?.(this.refusal);
    await this.source.return();
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    if (this.refusal !== null) throw this.refusal;
    // A race with a promise of the end would add a reaction to it with every event.
    return new Promise((resolve, reject) => {
      this.rejectPending = reject;
      this.source
        .next()
        .then(async (event) => this.judged(event))
        .then(resolve, reject);
    });
  }

  /** An event that comes after the list was replaced, and before the sockets are looked at again, is not sent. */
  private async judged(
    event: IteratorResult<ExecutionResult, void>,
  ): Promise<IteratorResult<ExecutionResult, void>> {
    const refusal = event.done === true ? null : await this.dropped();
    if (refusal === null) return event;
    await this.end(refusal);
    throw refusal;
  }

  async return(): Promise<IteratorResult<ExecutionResult, void>> {
    return this.source.return();
  }

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult, void>> {
    return this.source.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
