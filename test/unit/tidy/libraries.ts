import { importsOf, localImportsOf } from './code.js';
import { isCode, isSource, perFile, type Rule } from './rule.js';

const KNOWS_GRAPHQL = /^src\/(?:(?:graphql|transport)\/.*|app\/schema\.ts|.*\.(?:resolver|types)\.ts)$/;
const KNOWS_REDIS = /^src\/(?:platform\/.*|.*\.redis\.ts)$/;
const GRAPHQL = /^(?:type-graphql|graphql|graphql-scalars)(?:\/|$)/;
const REDIS = /^ioredis(?:\/|$)/;

export const libraries: Rule = {
  says: 'keeps GraphQL to resolvers and types, and Redis to *.redis.ts and the platform',
  check: perFile(isSource, (file) =>
    importsOf(file)
      .filter(
        (name) =>
          (GRAPHQL.test(name) && !KNOWS_GRAPHQL.test(file.path)) ||
          (REDIS.test(name) && !KNOWS_REDIS.test(file.path)),
      )
      .map((name) => `imports ${name}`),
  ),
  broken: {
    'a service with GraphQL': { 'src/codes/codes.service.ts': `import { GraphQLError } from 'graphql';` },
    'an entity with type-graphql': { 'src/codes/code.entity.ts': `import { Field } from "type-graphql";` },
    'a type only': { 'src/orders/orders.service.ts': `import type { Redis } from 'ioredis';` },
    'the application with Redis': { 'src/app/modules.ts': `import { Redis } from 'ioredis';` },
  },
  kept: {
    'src/codes/code.resolver.ts': `import { Resolver } from 'type-graphql';`,
    'src/codes/claim.redis.ts': `import type { Redis } from 'ioredis';`,
    'src/app/schema.ts': `import { printSchema } from 'graphql';`,
  },
};

export const barrels: Rule = {
  says: 'has no index files but that of the migrations',
  check: perFile(
    (path) => isSource(path) && /(?:^|\/)index\.ts$/.test(path),
    (file) => (file.path === 'src/migrations/index.ts' ? [] : ['import from the file that has it']),
  ),
  broken: { 'a feature': { 'src/codes/index.ts': '' }, 'the root': { 'src/index.ts': '' } },
  kept: { 'src/migrations/index.ts': '', 'src/codes/code-index.ts': '' },
};

export const clients: Rule = {
  says: 'keeps the server out of its clients',
  check: perFile(
    (path) => /^(?:sdk|console)\//.test(path) && isCode(path),
    (file) =>
      localImportsOf(file)
        .filter((target) => target.startsWith('src/'))
        .map((target) => `imports ${target}`),
  ),
  broken: { 'the SDK': { 'sdk/client.ts': `import { x } from '../src/codes/code-format.js';` } },
  kept: { 'sdk/src/client.ts': `import { x } from './src/transport.js';` },
};
