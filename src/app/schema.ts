import 'reflect-metadata';
import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import { present } from '../platform/assert.js';
import { useInstanceSources } from '../graphql/instance-sources.js';
import { permitOperations } from '../graphql/permit-operations.js';
import { joinPermissions, type Permissions } from '../graphql/rule.js';
import { modules } from './modules.js';

/** Operations that no module has. */
export interface FurtherOperations {
  readonly resolvers: readonly object[];
  readonly permissions: Permissions;
}

/**
 * The schema of the product, each operation behind its row of the table of permissions. Input is typed by GraphQL and
 * judged by the services, so class-validator stays off.
 * @param instances of the resolver classes; without them the schema can be printed but not asked
 * @param further operations beside the modules' own; for measurements
 */
export function buildRedeemkitSchema(
  instances: readonly object[] = [],
  further: FurtherOperations = { resolvers: [], permissions: {} },
): GraphQLSchema {
  const byClass = new Map<unknown, object>(
    [...instances, ...further.resolvers].map((each) => [each.constructor, each]),
  );
  const container = {
    get: (resolver: unknown): object =>
      instances.length === 0 ? {} : present(byClass.get(resolver), 'The resolver'),
  };
  const schema = buildSchemaSync({
    resolvers: [
      ...modules.resolvers,
      ...further.resolvers.map((each) => each.constructor),
    ] as unknown as NonEmptyArray<new () => object>,
    container,
    validate: false,
    // By a whole introspection, a tenth of the start of a process. Printed schemas are checked, of the same classes.
    skipCheck: instances.length > 0,
    pubSub: UNUSED_PUB_SUB,
  });
  useInstanceSources(schema, instances);
  permitOperations(schema, joinPermissions([modules.permissions, further.permissions]));
  return schema;
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
