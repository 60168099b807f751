import type { GraphQLSchema } from 'graphql';
import type { Registry } from 'prom-client';
import type { Config } from '../config.js';
import type { Actor } from '../graphql/actor.js';
import type { HttpRoute } from '../graphql/http-route.js';
import type { Permissions } from '../graphql/rule.js';
import type { AccessService } from '../identity/access.service.js';
import type { IssuerTokens } from '../identity/issuers/issuer-tokens.service.js';
import type { PartnerAccess } from '../identity/partners/partner-access.service.js';
import type { TokenService } from '../identity/token.service.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/observability/log.js';
import type { EventFeed } from '../platform/push/event-feed.js';
import type { Redis } from '../platform/redis/redis.js';
import type { TenantSettingsService } from '../tenancy/settings/tenant-settings.service.js';
import type { Documents } from './documents.js';
import type { TryOut } from './graphiql.js';
import type { HealthChecks } from './health.js';
import type { KeyCallers } from './key-callers.js';
import type { SchemaAnswers } from './schema-answers.js';
import type { SocketPlaces } from './socket-places.js';
import type { WorkShares } from './work-shares.js';

/** What a process gives its HTTP server. */
export interface HttpServerParts {
  readonly schema: GraphQLSchema;
  readonly tokens: TokenService;
  readonly access: Pick<AccessService, 'refusalOf' | 'knownRefusalOf' | 'refusalOfKey'>;
  /** Who holds an API key; without it none is known, as in measurements. */
  readonly partnerAccess?: Pick<PartnerAccess, 'keyIn' | 'prove' | 'operationsOf'>;
  /** Tokens of tenants' own servers; without it none is taken. */
  readonly issuerTokens?: Pick<IssuerTokens, 'tokenIn' | 'prove' | 'isStillGood'>;
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Logger;
  readonly redis: Redis;
  readonly events: EventFeed;
  /** Files of the features; none in measurements. */
  readonly routes?: readonly HttpRoute[];
  /** Who may use these routes; the operations of the schema have their rows already. */
  readonly permissions?: Permissions;
  /** Of tenants whose devices send envelopes; without them no envelope is opened. */
  readonly settings?: Pick<TenantSettingsService, 'find'>;
  readonly shares: WorkShares;
  readonly health: HealthChecks;
  readonly metrics?: Registry;
  /** Hears of the sockets of signed-in callers; none in measurements. Its methods never throw. */
  readonly presence?: {
    opened(actor: Actor): Promise<void>;
    closed(actor: Actor): Promise<void>;
  };
  /** What GraphiQL is filled with in development. */
  readonly tryOut?: () => TryOut | null;
}

/** The same, with what GraphQL over HTTP and over WebSocket share. */
export interface TransportParts extends HttpServerParts {
  readonly documents: Documents;
  readonly answers: SchemaAnswers;
  readonly places: SocketPlaces;
  readonly keys: KeyCallers;
  /** Whether messages of graphql-js are shown without what they tell of the schema. */
  readonly hideSuggestions: boolean;
}
