import type { Config } from '../../config.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { ProductLineService } from '../../tenancy/product-line.service.js';
import type { OutgoingHttp } from '../../platform/outgoing/outgoing-http.js';
import type { AccessService } from '../access.service.js';
import { composeIssuers } from '../issuers/compose-issuers.js';
import { IssuerResolver } from '../issuers/issuer.resolver.js';
import { UserTokenIssuer } from '../issuers/user-token-issuer.entity.js';
import type { UserService } from '../users/user.service.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeyService } from './api-key.service.js';
import { KeyUses } from './key-uses.js';
import { OperationSets } from './operation-sets.js';
import { PartnerAccess } from './partner-access.service.js';
import { PartnerOperations } from './partner-operations.entity.js';
import { Partner } from './partner.entity.js';
import { PartnerResolver } from './partner.resolver.js';
import { PartnerService } from './partner.service.js';
import { PARTNER_PERMISSIONS } from './partners.permissions.js';
import { RegisteredOperationsService, type OperationPorts } from './registered-operations.service.js';

interface Needs extends Pick<PlatformServices, 'orm' | 'readOrm' | 'clock' | 'ids' | 'transactions' | 'log'> {
  readonly outgoing: OutgoingHttp;
  readonly users: UserService;
  readonly config: Config;
  readonly access: AccessService;
  readonly lines: ProductLineService;
}

/** Partners, whose servers call with API keys and run the operations that are registered for them. */
export const partners = {
  name: 'partners',
  entities: [Partner, ApiKey, PartnerOperations, UserTokenIssuer],
  resolvers: [PartnerResolver, IssuerResolver],
  permissions: PARTNER_PERMISSIONS,
  compose: (its: Needs) => {
    const { access } = its;
    const timeoutMs = its.config.STORE_TIMEOUT_MS;
    const changed = (tenantId: string, keyIds: readonly string[]): void => {
      for (const keyId of keyIds) access.changed({ tenantId, keyId });
    };
    const operationPorts = {} as OperationPorts;
    const partnerService = new PartnerService({ ...its, changed });
    const apiKeys = new ApiKeyService({ ...its, changed });
    const registeredOperations = new RegisteredOperationsService({
      ...its,
      ports: operationPorts,
      partners: partnerService,
    });
    const partnerAccess = new PartnerAccess({
      ...its,
      timeoutMs,
      operations: new OperationSets(its.orm, timeoutMs),
      uses: new KeyUses(its),
    });
    const { issuers, issuerTokens } = composeIssuers(its);
    return {
      services: {
        partners: partnerService,
        apiKeys,
        registeredOperations,
        partnerAccess,
        operationPorts,
        issuers,
        issuerTokens,
      },
      resolvers: [
        new PartnerResolver(partnerService, apiKeys, registeredOperations),
        new IssuerResolver(issuers),
      ],
    };
  },
};
