import path from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Envelope {
  readonly kid: string;
  readonly ts: number;
  readonly nonce: string;
  readonly epoch: string;
  readonly data: string;
}

export interface EncryptedReply {
  readonly status: number;
  readonly isSealed: boolean;
  readonly body: {
    readonly data?: Record<string, Record<string, unknown> | null> | null;
    readonly errors?: readonly {
      readonly message: string;
      readonly extensions: { readonly code: string; readonly epoch?: string; readonly serverTimeMs?: number };
    }[];
  };
}

/** The client of the documents, which shares no code with the server. */
export interface EncryptedClient {
  epoch: string;
  clockOffsetMs: number;
  readonly headers: Record<string, string>;
  post(path: string, body: unknown): Promise<EncryptedReply>;
  send(path: string, body: unknown): Promise<EncryptedReply>;
  seal(
    path: string,
    body: unknown,
  ): { readonly headers: Record<string, string>; readonly envelope: Envelope };
  open(path: string, requestNonce: string, status: number, reply: { nonce: string; data: string }): string;
}

export interface ClientSettings {
  readonly url: string;
  readonly tenantId: string;
  readonly keyId: string;
  readonly secret: string;
  readonly headers?: Record<string, string>;
}

export const CLIENT_FILE = path.resolve(import.meta.dirname, '../../docs/examples/encrypted-client.mjs');
const module = (await import(pathToFileURL(CLIENT_FILE).href)) as {
  readonly EncryptedClient: new (settings: ClientSettings) => EncryptedClient;
};

export const newEncryptedClient = (settings: ClientSettings): EncryptedClient =>
  new module.EncryptedClient(settings);
