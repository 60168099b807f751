import type { JSONWebKeySet } from 'jose';
import type { Config } from '../../config.js';
import type { OutgoingHttp } from '../../platform/outgoing/outgoing-http.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { AccessService } from '../access.service.js';
import type { UserService } from '../users/user.service.js';
import { IssuerTokens } from './issuer-tokens.service.js';
import { IssuerService } from './issuer.service.js';
import { JwksKeys } from './jwks-keys.js';

const FETCH_TIMEOUT_MS = 5000;

interface Needs extends Pick<PlatformServices, 'orm' | 'clock' | 'transactions' | 'log'> {
  readonly config: Config;
  readonly access: AccessService;
  readonly users: UserService;
  readonly outgoing: Pick<OutgoingHttp, 'send'>;
}

/** Tokens that tenants' own servers sign for their users. */
export function composeIssuers(its: Needs) {
  const { JWKS_HOSTS: hosts = [], STORE_TIMEOUT_MS: timeoutMs } = its.config;
  const issuers = new IssuerService({ ...its, timeoutMs, hosts });
  const fetch = async (url: string): Promise<JSONWebKeySet> => {
    // The list may have changed since the URL was set.
    issuers.requireHost(url);
    const { status, body } = await its.outgoing.send({ url, timeoutMs: FETCH_TIMEOUT_MS });
    if (status !== 200) throw new Error(`The keys were answered with status ${status}.`);
    return JSON.parse(body.toString()) as JSONWebKeySet;
  };
  return {
    issuers,
    issuerTokens: new IssuerTokens({ ...its, timeoutMs, issuers, keys: new JwksKeys({ ...its, fetch }) }),
  };
}
