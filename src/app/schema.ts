import 'reflect-metadata';
import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { CampaignResolver } from '../campaigns/campaign.resolver.js';
import { BatchResolver } from '../codes/batch.resolver.js';
import { CodeResolver } from '../codes/code.resolver.js';
import { externalUserIdOf } from '../identity/users/external-user-id.resolver.js';
import { UserResolver } from '../identity/users/user.resolver.js';
import { ViewerResolver } from '../identity/users/viewer.resolver.js';
import { OrderResolver } from '../orders/orders/order.resolver.js';
import { OrderObjectType } from '../orders/orders/order.types.js';
import { DeadLetterType } from '../redemption/deferred/dead-letter.types.js';
import { RedemptionSettledEvent, RedemptionType } from '../redemption/redemption.types.js';
import { SubscriptionInvalidatedEvent } from '../subscriptions/subscription.types.js';
import { DeadLetterResolver } from '../redemption/deferred/dead-letter.resolver.js';
import { ReconciliationResolver } from '../reconciliation/reconciliation.resolver.js';
import { RedemptionEventsResolver } from '../redemption/history/redemption-events.resolver.js';
import { RedemptionSettledResolver } from '../redemption/history/redemption-settled.resolver.js';
import { RedemptionResolver } from '../redemption/redeem/redemption.resolver.js';
import { PlanResolver } from '../subscriptions/plan.resolver.js';
import { SubscriptionEventsResolver } from '../subscriptions/subscription-events.resolver.js';
import { SubscriptionResolver } from '../subscriptions/subscription.resolver.js';
import { ProductLineResolver } from '../tenancy/product-line.resolver.js';
import { TenantResolver } from '../tenancy/tenant.resolver.js';

export type ResolverClass = abstract new (...args: never[]) => object;

/** Where resolvers come from, by class. */
export interface ResolverContainer {
  get(resolver: unknown): object;
}

/** Types that show a user. */
export const externalUserIdResolvers = [
  DeadLetterType,
  OrderObjectType,
  RedemptionSettledEvent,
  RedemptionType,
  SubscriptionInvalidatedEvent,
].map(externalUserIdOf);

/** Every resolver there is. */
const resolvers = [
  BatchResolver,
  CampaignResolver,
  CodeResolver,
  DeadLetterResolver,
  OrderResolver,
  PlanResolver,
  ProductLineResolver,
  ReconciliationResolver,
  RedemptionEventsResolver,
  RedemptionResolver,
  RedemptionSettledResolver,
  SubscriptionEventsResolver,
  SubscriptionResolver,
  TenantResolver,
  UserResolver,
  ViewerResolver,
  ...externalUserIdResolvers,
] as const satisfies readonly ResolverClass[];

/**
 * The schema of the product. Input is typed by GraphQL and judged by the services, so class-validator stays off.
 * @param container where resolvers come from; without one the schema can be printed but not asked
 */
export function buildRedeemkitSchema(
  container: ResolverContainer = { get: () => ({}) },
  further: readonly ResolverClass[] = [],
): GraphQLSchema {
  return buildSchemaSync({
    resolvers: [...resolvers, ...further] as unknown as NonEmptyArray<new () => object>,
    container,
    validate: false,
    pubSub: UNUSED_PUB_SUB,
  });
}

/** As it is checked in: sorted, so that a change shows as what it is. */
export function printSortedSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

/** Subscriptions bring their own sources; type-graphql only wants to see one. */
const UNUSED_PUB_SUB = {
  publish: () => undefined,
  subscribe: () => {
    throw new Error('Subscriptions bring their own sources.');
  },
};
