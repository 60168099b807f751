import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import type { OperationResult, SubscribePayload } from 'graphql-ws';
import type { PartnerActor } from '../graphql/actor.js';
import { isRecord } from './asked-operation.js';
import { notRegistered, type KeyCallers } from './key-callers.js';
import { RegisteredEvents } from './registered-events.js';
import type { SocketOperations } from './socket-operations.js';
import type { SocketSession } from './socket-session.js';

/** Of a socket in the protocol's library, by the ids of the client; null for what answers once. */
type Running = Readonly<Record<string, unknown>>;

interface Registered {
  readonly text: string;
  readonly partner: PartnerActor;
}

/** Operations of partners over sockets. Only registered ones run, and a subscription ends when it is dropped from the list. */
export class RegisteredSubscriptions {
  private readonly registered = new WeakMap<ExecutionArgs, Registered>();

  constructor(
    private readonly keys: KeyCallers,
    private readonly operations: SocketOperations,
  ) {}

  /**
   * The list of a partner may have changed since the socket was opened, so the key is looked up for each operation.
   * @throws GraphQLError
   */
  async prepare(
    apiKey: string,
    session: SocketSession,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const proven = await this.keys.prove(apiKey);
    const query = this.keys.textFor(proven, { ...payload });
    const { operationName, variables } = payload;
    const registered = {
      query,
      ...(operationName !== undefined && { operationName }),
      ...(variables !== undefined && { variables }),
    };
    const prepared = this.operations.prepare(registered, session.scope());
    const { actor } = proven;
    if ('schema' in prepared && actor.kind === 'PARTNER')
      this.registered.set(prepared, { text: query, partner: actor });
    return prepared;
  }

  /** The events of a partner's subscription in a form that `endDropped` can end; undefined for any other result. */
  endable(args: ExecutionArgs, result: OperationResult): OperationResult | undefined {
    const found = this.registered.get(args);
    if (found === undefined || !isGenerator(result)) return undefined;
    const dropped = async (): Promise<GraphQLError | null> => {
      const operations = await this.keys.operationsOf(found.partner);
      return operations === null || operations.has(found.text) ? null : notRegistered();
    };
    return new RegisteredEvents(found.text, dropped, result);
  }

  /** Ends the subscriptions of a partner's socket whose text is no longer registered. */
  async endDropped(partner: PartnerActor, running: Running): Promise<void> {
    const all = Object.values(running).filter((events) => events instanceof RegisteredEvents);
    if (all.length === 0) return;
    const operations = await this.keys.operationsOf(partner);
    if (operations === null) return;
    const dropped = all.filter(({ text }) => !operations.has(text));
    await Promise.all(dropped.map(async (events) => events.end(notRegistered())));
  }
}

function isGenerator(result: OperationResult): result is AsyncGenerator<ExecutionResult, void, void> {
  return Symbol.asyncIterator in result && 'return' in result;
}

/** The protocol's library takes no operation without a text, and clients of registered ones send the id alone. */
export function withQuery(text: string): string {
  try {
    const message = JSON.parse(text) as { readonly type?: unknown; readonly payload?: unknown };
    const { type, payload } = message;
    if (type !== 'subscribe' || !isRecord(payload) || (payload['query'] ?? null) !== null) return text;
    return JSON.stringify({ ...message, payload: { ...payload, query: '' } });
  } catch {
    return text;
  }
}
