import { insertRows } from '../../src/platform/database/insert-rows.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { drainOutbox } from './database.js';
import type { FloodJob } from './flood-job.js';
import type { BenchUser, Supply } from './supply.js';
import { PRODUCT } from './supply.js';
import type { BenchWorld } from './world.js';

const ROWS_AT_ONCE = 2000;
const ORDER_FIELDS = 'total items { id userId type status amount isNew subscriptionId createdAt finishedAt }';
const CODE_FIELDS = 'total items { id code lastFour status useLimit used expiresAt }';
const EVENT_FIELDS = 'eventId cursor redemptionId orderNo status useNo userId campaignId refusal winnerId';
/** What a tool asks for to know the whole schema, as GraphiQL and Apollo do. */
const INTROSPECTION = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
  types { ...FullType } directives { name description locations args { ...InputValue } } } }
fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description
  args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue }
  interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }`;

export interface Flood {
  readonly name: string;
  readonly job: FloodJob;
}

export interface NoisySize {
  readonly orders: number;
  readonly codes: number;
}

/** Everything that one caller of the noisy tenant has, so that each of its requests is as much work as can be. */
export async function floodsOf(
  world: BenchWorld,
  supply: Supply,
  url: string,
  size: NoisySize,
): Promise<readonly Flood[]> {
  const [user] = await supply.takeUsers(1);
  if (user === undefined) throw new Error('The noisy tenant has no user.');
  await supply.stock(size.codes, 0);
  await insertHistory(world, supply.tenantId, user.id, size.orders);
  await drainOutbox(world, supply.tenantId);
  const staff = world.services.tokens.sign(
    { kind: 'STAFF', tenantId: supply.tenantId, staffId: 'noisy', role: 'OWNER' },
    900,
  );
  const codes = supply.unknownCodes(200);
  const http = (
    name: string,
    connections: number,
    token: string | null,
    bodies: readonly object[],
  ): Flood => ({
    name,
    job: {
      kind: 'HTTP',
      url,
      connections,
      headers: headersOf(user, token),
      bodies: bodies.map((body) => JSON.stringify(body)),
    },
  });
  const list = (rows: number): string => `orders(size: ${rows}) { ${ORDER_FIELDS} }`;
  // As many aliases as one operation may have, and as many rows as its cost allows them.
  const fifteen = { query: `{ ${Array.from({ length: 15 }, (_, at) => `a${at}: ${list(150)}`).join(' ')} }` };
  const parts = ['AB', 'QX', '7K', 'ZZZ'].map((part) => ({
    query: `query ($part: String!) { codes(size: 500, filter: {part: $part}) { ${CODE_FIELDS} } }`,
    variables: { part },
  }));
  const previews = codes.map((code) => ({
    query: 'query ($code: String!) { previewRedemption(code: $code) { wouldRedeem errors { code } } }',
    variables: { code },
  }));
  const guesses = codes.map((code) => ({
    query: 'mutation ($code: String!) { redeemCode(input: { code: $code }) { status errors { code } } }',
    variables: { code },
  }));
  return [
    http('lists_15x150_1', 1, user.token, [fifteen]),
    http('lists_15x150_4', 4, user.token, [fifteen]),
    http('lists_500_16', 16, user.token, [{ query: `{ ${list(500)} }` }]),
    http('codes_part_4', 4, staff, parts),
    {
      name: 'catch_ups_50',
      job: {
        kind: 'SOCKET',
        url,
        token: user.token,
        query: `subscription { redemptionSettled(after: "0") { ${EVENT_FIELDS} } }`,
        operations: 50,
        eventsEach: size.orders,
      },
    },
    http('introspection_64', 64, null, [{ query: INTROSPECTION }]),
    http('previews_16', 16, user.token, previews),
    http('guesses_64', 64, user.token, guesses),
  ];
}

function headersOf(user: BenchUser, token: string | null): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-product-code': PRODUCT,
    'x-forwarded-for': user.ip,
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
}

/** Orders of one user, and an event of each, as if all of them had been redeemed and published. */
async function insertHistory(
  { stores, services }: BenchWorld,
  tenantId: string,
  userId: string,
  count: number,
): Promise<void> {
  const em = tenantEm(stores.orm, tenantId);
  const at = new Date(services.clock.nowMs());
  for (let done = 0; done < count; done += ROWS_AT_ONCE) {
    const orders = Array.from({ length: Math.min(ROWS_AT_ONCE, count - done) }, () => ({
      tenant_id: tenantId,
      id: services.ids.next(),
      user_id: userId,
      type: 'REDEMPTION',
      status: 'FINISHED',
      amount: '0',
      is_new: true,
      subscription_id: null,
      created_at: at,
      finished_at: at,
    }));
    await insertRows(em, 'order', orders);
    const drafts = orders.map(({ id }) => ({
      type: 'redemption_settled',
      userId,
      payload: { redemptionId: id, orderNo: id, status: 'COMMITTED', codeId: id, campaignId: id },
    }));
    await services.transactions.run(tenantId, async (inside) => {
      services.outbox.append(inside, tenantId, drafts);
      return Promise.resolve();
    });
  }
}
