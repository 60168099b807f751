import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { systemClock } from '../../src/platform/clock.js';

const CLIENT_ID = 'redeemkit-test';
const CLIENT_SECRET = 'a secret of the client';

/** What the provider says of the person, and what it gets wrong on purpose. */
export interface Persona {
  readonly email: string;
  readonly email_verified?: boolean | string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: 'own' | 'foreign';
}

interface Grant {
  readonly challenge: string;
  readonly nonce: string;
  readonly persona: Persona;
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A small provider of OpenID Connect: discovery, keys, authorization code with PKCE. */
export class OidcProvider {
  readonly environment: Record<string, string>;
  private readonly keys = {
    own: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    foreign: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
  private readonly grants = new Map<string, Grant>();
  private readonly server = createServer((request, reply) => void this.answer(request, reply));
  private issuer = '';
  private answers: Promise<void> = Promise.resolve();
  /** Requests that wait for an answer. */
  waiting = 0;

  private constructor() {
    this.environment = {};
  }

  static async start(): Promise<OidcProvider> {
    const provider = new OidcProvider();
    await new Promise<void>((resolve) => {
      provider.server.listen(0, '127.0.0.1', resolve);
    });
    provider.issuer = `http://127.0.0.1:${(provider.server.address() as AddressInfo).port}`;
    Object.assign(provider.environment, {
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: CLIENT_ID,
      OIDC_CLIENT_SECRET: CLIENT_SECRET,
      OIDC_REDIRECT_URI: 'https://console.example/callback',
    });
    return provider;
  }

  /** What a person does in the browser: signs in, and is sent back. @returns the URL of the console */
  signIn(authorizationUrl: string, persona: Persona): string {
    const asked = new URL(authorizationUrl).searchParams;
    const code = randomBytes(8).toString('hex');
    const [challenge, nonce] = [asked.get('code_challenge') ?? '', asked.get('nonce') ?? ''];
    this.grants.set(code, { challenge, nonce, persona });
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.search = new URLSearchParams({ code, state: asked.get('state') ?? '' }).toString();
    return back.href;
  }

  /** From now on it answers nothing, until the result is called. */
  hang(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.answers = promise;
    return () => resolve();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  private async answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const send = (status: number, body: object): void => {
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    this.waiting += 1;
    await this.answers;
    this.waiting -= 1;
    if (request.url === '/.well-known/openid-configuration') return send(200, this.metadata());
    if (request.url === '/jwks') return send(200, { keys: [this.publicKey()] });
    if (request.url !== '/token') return send(404, {});
    const form = new URLSearchParams(await text(request));
    const grant = this.grants.get(form.get('code') ?? '');
    this.grants.delete(form.get('code') ?? '');
    const hashed = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (grant?.challenge !== hashed || form.get('client_secret') !== CLIENT_SECRET)
      return send(400, { error: 'invalid_grant' });
    return send(200, { access_token: 'a', token_type: 'Bearer', id_token: this.idToken(grant) });
  }

  private metadata() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
  }

  private publicKey() {
    return { ...this.keys.own.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
  }

  private idToken({ nonce, persona }: Grant): string {
    const { email, email_verified = true, claims = {}, key = 'own' } = persona;
    const nowS = Math.floor(systemClock.nowMs() / 1000);
    const all = {
      iss: this.issuer,
      aud: CLIENT_ID,
      sub: email,
      iat: nowS,
      exp: nowS + 60,
      nonce,
      email,
      email_verified,
      ...claims,
    };
    const signed = `${base64({ alg: 'RS256', kid: 'k1' })}.${base64(all)}`;
    const signature = createSign('RSA-SHA256').update(signed).sign(this.keys[key].privateKey);
    return `${signed}.${signature.toString('base64url')}`;
  }
}
