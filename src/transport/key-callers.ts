import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { PartnerActor } from '../graphql/actor.js';
import type { IssuerProof, IssuerTokens } from '../identity/issuers/issuer-tokens.service.js';
import type { KeyProof, OperationSet, PartnerAccess } from '../identity/partners/partner-access.service.js';
import type { Proof } from '../identity/token.service.js';
import { StoreUnavailableError } from '../platform/errors.js';
import { refusalError } from './admission.js';
import type { Documents } from './documents.js';
import { askedByGet, askedOf, isRecord } from './asked-operation.js';
import { unauthenticated } from './request-scope.js';

interface Parts {
  readonly documents: Documents;
  readonly partnerAccess?: Pick<PartnerAccess, 'keyIn' | 'prove' | 'operationsOf'>;
  readonly issuerTokens?: Pick<IssuerTokens, 'tokenIn' | 'prove' | 'isStillGood'>;
}

/** The proof of a caller; for a partner with its registered operations. */
type Found = Proof & Partial<Pick<KeyProof, 'operations'> & Pick<IssuerProof, 'issuer'>>;

/**
 * Callers with an API key, or with a token of a tenant's own server. Both are looked up when the head of a request has
 * arrived; the rest is as fast and synchronous as with a token of this program. A partner's key executes registered
 * operations only.
 */
export class KeyCallers {
  private readonly found = new WeakMap<IncomingMessage, Found | Error>();
  private readonly searches = new WeakMap<IncomingMessage, string>();

  constructor(private readonly parts: Parts) {}

  /** Null if the request has nothing to look up; else a promise that resolves when the caller is known. It never rejects. */
  lookUp(request: IncomingMessage): Promise<void> | null {
    const proof = this.proofIn(request.headers.authorization);
    return proof === null ? null : this.find(request, proof);
  }

  /** Null where nothing has to be looked up. The promise rejects with a GraphQLError. */
  proofIn(authorization: string | undefined): Promise<Found> | null {
    const key = this.keyIn(authorization);
    if (key !== null) return this.prove(key);
    const token = this.parts.issuerTokens?.tokenIn(authorization) ?? null;
    return token === null ? null : this.proveToken(token);
  }

  /** The caller of a request that was looked up; null for any other. @throws GraphQLError */
  proofOf(request: IncomingMessage): Found | null {
    const found = this.found.get(request);
    if (found instanceof Error) throw found;
    return found ?? null;
  }

  /**
   * Replaces a partner's request by the registered text, so that nothing else can be executed. An operation that is not
   * registered is refused when the request's context is made.
   */
  narrow(request: FastifyRequest): void {
    const { raw, method } = request;
    const found = this.found.get(raw);
    if (found === undefined || found instanceof Error || found.operations === undefined) return;
    const { operations } = found;
    const text = method === 'GET' ? this.narrowGet(raw, operations) : this.narrowPost(request, operations);
    if (text === null) this.found.set(raw, notRegistered());
  }

  /** The query string that stands for the request's own. */
  searchOf(request: IncomingMessage): string | undefined {
    return this.searches.get(request);
  }

  /** The API key in the headers, or in the parameters of a socket. */
  keyIn(authorization: string | undefined): string | null {
    return this.parts.partnerAccess?.keyIn(authorization) ?? null;
  }

  /** @throws GraphQLError */
  async prove(key: string): Promise<KeyProof> {
    try {
      const proof = await this.parts.partnerAccess?.prove(key);
      if (!proof) throw unauthenticated('The API key is not valid.');
      if (proof.refusal !== null) throw refusalError(proof.refusal, 401);
      return proof;
    } catch (error) {
      throw error instanceof StoreUnavailableError ? away(error) : error;
    }
  }

  /** The registered text. @throws GraphQLError OPERATION_NOT_REGISTERED */
  textFor({ operations }: KeyProof, payload: Readonly<Record<string, unknown>>): string {
    const text = operations.textOf(askedOf(payload));
    if (text === null) throw notRegistered();
    this.parts.documents.prepare(text);
    return text;
  }

  /** The only operations that a partner may run now; null while they cannot be read, and the last known ones stand. */
  async operationsOf(partner: PartnerActor): Promise<OperationSet | null> {
    try {
      return (await this.parts.partnerAccess?.operationsOf(partner)) ?? null;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return null;
      throw error;
    }
  }

  /** Judges again the issuer of a token that has opened a socket. @throws GraphQLError, StoreUnavailableError */
  async judgeIssuer({ issuer, ...proof }: Found): Promise<void> {
    if (issuer === undefined || (await this.parts.issuerTokens?.isStillGood({ ...proof, issuer }))) return;
    throw unauthenticated('The issuer of the token was changed or disabled. Sign in again.');
  }

  private async proveToken(token: string): Promise<Found> {
    try {
      const proof = await this.parts.issuerTokens?.prove(token);
      if (proof) return proof;
    } catch (error) {
      throw error instanceof StoreUnavailableError ? away(error) : error;
    }
    throw unauthenticated('The token is not valid, or has expired. Sign in again.');
  }

  private async find(request: IncomingMessage, proof: Promise<Found>): Promise<void> {
    try {
      this.found.set(request, await proof);
    } catch (error) {
      this.found.set(request, error instanceof Error ? error : new Error(String(error)));
    }
  }

  private narrowPost(request: FastifyRequest, operations: OperationSet): string | null {
    const { body } = request;
    const text = isRecord(body) ? operations.textOf(askedOf(body)) : null;
    if (text === null || !isRecord(body)) return null;
    this.parts.documents.prepare(text);
    const { query: _query, documentId: _documentId, extensions: _extensions, ...rest } = body;
    request.body = { ...rest, query: text };
    return text;
  }

  private narrowGet(raw: IncomingMessage, operations: OperationSet): string | null {
    const search = new URL(raw.url ?? '', 'http://localhost').searchParams;
    const text = operations.textOf(askedByGet(search));
    if (text === null) return null;
    this.parts.documents.prepare(text);
    const kept = ['operationName', 'variables'].flatMap((name) =>
      search.getAll(name).map((value): [string, string] => [name, value]),
    );
    this.searches.set(raw, `?${new URLSearchParams([['query', text], ...kept]).toString()}`);
    return text;
  }
}

export function notRegistered(): GraphQLError {
  return new GraphQLError(
    'This operation is not registered for the partner of the API key. Register it with `registerOperations`, then send its id or its text as it was registered.',
    { extensions: { code: 'OPERATION_NOT_REGISTERED', http: { status: 400 } } },
  );
}

function away(error: StoreUnavailableError): GraphQLError {
  return new GraphQLError('The service cannot answer right now. Try again.', {
    originalError: error,
    extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
  });
}
