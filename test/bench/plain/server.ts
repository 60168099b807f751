/**
 * What the product is compared with: the same packages, tables and answers, put together the ordinary way. Apollo and
 * type-graphql with their adapter for fastify, and one transaction of the ORM for each request; no Redis.
 */
import 'reflect-metadata';
import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, { type FastifyRequest } from 'fastify';
import { Arg, buildSchema, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { entities } from '../../../src/app/modules.js';
import { loadConfig } from '../../../src/config.js';
import { TokenService } from '../../../src/identity/token.service.js';
import { present } from '../../../src/platform/assert.js';
import { systemClock } from '../../../src/platform/clock.js';
import { connectOrm } from '../../../src/platform/database/orm.js';
import { redeemRequest } from '../../../src/redemption/redeem/redemption-payload.js';
import { RedeemCodeInput, RedeemCodePayload } from '../../../src/redemption/redemption.types.js';
import { serveParent } from '../child-server.js';
import { redeemPlainly } from './redeem.js';

const config = loadConfig();
const tokens = new TokenService([present(config.JWT_SECRET, 'JWT_SECRET')], systemClock);
const orm = await connectOrm({
  databaseUrl: present(config.DATABASE_URL, 'DATABASE_URL'),
  poolSize: config.DATABASE_POOL_SIZE,
  entities,
});

interface PlainContext {
  readonly authorization: string;
  readonly productCode: string;
}

class PlainResolver {
  alive(): boolean {
    return true;
  }

  async redeemCode({ authorization, productCode }: PlainContext, input: RedeemCodeInput): Promise<object> {
    const actor = tokens.verify(authorization.replace(/^Bearer /, ''));
    if (actor.kind !== 'USER') throw new Error('Only users redeem.');
    const headers = { productCode, deviceId: null, idempotencyKey: null };
    return redeemPlainly(orm, redeemRequest(actor, headers, input));
  }
}

// As in `empty-mutation.ts`: decorators are applied as the functions they are.
const { prototype } = PlainResolver;
Query(() => Boolean)(prototype, 'alive', {});
Ctx()(prototype, 'redeemCode', 0);
Arg('input', () => RedeemCodeInput)(prototype, 'redeemCode', 1);
Mutation(() => RedeemCodePayload)(prototype, 'redeemCode', {});
Resolver()(PlainResolver);

const apollo = new ApolloServer<PlainContext>({ schema: await buildSchema({ resolvers: [PlainResolver] }) });
await apollo.start();
const app = Fastify();
app.get('/healthz', async () => 'ok');
app.post(
  '/graphql',
  fastifyApolloHandler(apollo, {
    context: async ({ headers }: FastifyRequest) => ({
      authorization: headers.authorization ?? '',
      productCode: String(headers['x-product-code']),
    }),
  }),
);
serveParent(await app.listen({ host: '127.0.0.1', port: 0 }), async () => {
  await app.close();
  await apollo.stop();
  await orm.close();
});
