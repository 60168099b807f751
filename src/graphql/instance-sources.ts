import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { RequestContext } from './context.js';

/** A resolver that makes the sources of its subscriptions from its own services. */
export interface HasSources {
  /** By the name of the subscription. */
  readonly sources: Readonly<Record<string, GraphQLFieldResolver<unknown, RequestContext>>>;
}

/** `@Subscription({ subscribe: FROM_INSTANCE })`: type-graphql knows only sources that belong to no instance. */
export function FROM_INSTANCE(): AsyncIterable<never> {
  throw new Error('The schema was built without the instances of its resolvers.');
}

/** Gives the subscriptions of a built schema the sources of their resolvers. */
export function useInstanceSources(schema: GraphQLSchema, instances: readonly object[]): void {
  const fields = schema.getSubscriptionType()?.getFields() ?? {};
  for (const instance of instances.filter(hasSources))
    for (const [name, source] of Object.entries(instance.sources)) {
      const field = fields[name];
      if (field !== undefined) field.subscribe = source;
    }
}

function hasSources(instance: object): instance is HasSources {
  return 'sources' in instance;
}
