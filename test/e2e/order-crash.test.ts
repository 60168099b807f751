import { createHmac } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { staffToken, startBundled } from '../support/cluster.js';
import {
  DatabaseProxy,
  isCommitReply,
  isCommitRequest,
  type MessageTest,
} from '../support/database-proxy.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  ORDER_OPERATIONS,
  paymentOf,
  tallyOf,
  type OrderOperation,
  type OrderScene,
} from '../support/order-operations.js';
import { contentsOf, expectClean, orderOf, place } from '../support/orders.js';
import { startOwnStores, type OwnStores } from '../support/own-stores.js';
import { openWorld, PATIENT, type World } from '../support/world.js';

const PAYMENT_SECRET = 'payment'.repeat(6);

// The process that is killed has a worker, which must not take jobs of other tests.
let stores: OwnStores;
let proxy: DatabaseProxy;
let world: World;
/** Its orders are late within moments. */
let hasty: World;
openBeforeAll(async (closing) => {
  stores = await closing(startOwnStores());
  proxy = await closing(DatabaseProxy.open(stores.databaseUrl));
  world = await closing(openWorld({}, stores));
  hasty = await closing(openWorld({ ORDER_TIMEOUT_MINUTES: '0.01' }, stores));
});

type Send = (url: string, scene: OrderScene) => Promise<unknown>;

async function mutate(url: string, token: string, name: string, input: object): Promise<unknown> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { errors { code } } }`;
  return graphqlRequest(url, { token, query, variables: { input } });
}

const asUser =
  (name: string, input: (scene: OrderScene) => object): Send =>
  async (url, scene) => {
    const { tenantId } = scene.shop;
    const token = world.services.tokens.sign({ kind: 'USER', tenantId, userId: scene.userId }, 900);
    return mutate(url, token, name, input(scene));
  };

const refund =
  (more: object): Send =>
  async (url, { shop, orderNo }) =>
    mutate(url, staffToken(world, shop.tenantId), 'refundOrder', { orderNo, reason: 'Late', ...more });

const hmac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex');

const callBack: Send = async (url, scene) => {
  const { tenantId } = scene.shop;
  const body = JSON.stringify(paymentOf(scene));
  const timestamp = String(Math.floor(world.services.clock.nowMs() / 1000));
  const key = hmac(PAYMENT_SECRET, `payments:${tenantId}`);
  return fetch(`${url}/api/payments/callback`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-tenant-id': tenantId,
      'x-payment-timestamp': timestamp,
      'x-payment-signature': hmac(key, `${timestamp}.${body}`),
    },
    body,
  });
};

/** How a client asks for each of {@link ORDER_OPERATIONS}. */
const SENDS: Readonly<Record<string, Send>> = {
  'a placement': asUser('placeOrder', ({ shop: { planId }, input }) => ({
    type: 'PURCHASE',
    planId,
    ...input,
    idempotencyKey: 'key',
  })),
  'a payment from the balance': asUser('payOrder', ({ orderNo }) => ({ orderNo })),
  'a payment by the provider': callBack,
  'a payment by the provider that comes too late': callBack,
  'a cancellation': asUser('cancelOrder', ({ orderNo }) => ({ orderNo })),
  'a refund of a part': refund({ amount: '20', idempotencyKey: 'key' }),
  'a whole refund': refund({ idempotencyKey: 'key' }),
};

/** Closes an order whose time is over. No client asks for it: the job of the worker does. */
function timeOut(): OrderOperation {
  const [placement, , , , cancellation] = ORDER_OPERATIONS;
  if (placement === undefined || cancellation === undefined) throw new Error('An operation is missing.');
  return {
    ...cancellation,
    name: 'a time-out',
    prepare: async () => {
      const scene = await placement.prepare(hasty);
      const { id } = await place(hasty, scene.shop, scene.userId, scene.input);
      return { ...scene, orderNo: id };
    },
    // Its time may be over only in a moment.
    ask: async ({ services }, { shop, orderNo }) =>
      vi.waitFor(
        async () => {
          await services.orderTimeouts.sweep();
          expect((await orderOf(world, shop, orderNo)).status).toBe('CLOSED');
          return 'CLOSED';
        },
        { timeout: 30_000, interval: 100 },
      ),
  };
}

const OPERATIONS = [...ORDER_OPERATIONS, timeOut()];

const writesFirst: MessageTest = ({ side, statements }) =>
  side === 'REPLY' && statements.some((statement) => /^(?:insert|update)\b/i.test(statement));

/**
 * The worker of the process has transactions for the tenant as well: consumers of its events, the series, the anchors of
 * the audit log. They come near none of these tables, and each operation does before its first write or with it.
 */
const OF_ORDERS = /`order`|\border_\w+|\bplan\b|\buser_coupon\b|\bpoints_\w+|\bmoney_account\b/;
const isOperation: MessageTest = ({ transaction }) =>
  transaction.some((statement) => OF_ORDERS.test(statement));

const STEPS: readonly (readonly [string, MessageTest, boolean])[] = [
  ['has made its first write', writesFirst, false],
  ['has sent COMMIT, which never arrives', isCommitRequest, false],
  ['has committed, and does not get to know it', isCommitReply, true],
];

describe('a process that is killed', () => {
  it.each(STEPS)(
    'S2.7 when each of its operations on orders %s leaves all of each or nothing, and each is done once when it is repeated',
    async (_, step, isApplied) => {
      const victim = await startBundled({
        role: 'all',
        databaseUrl: proxy.url,
        redisUrl: stores.redisUrl,
        environment: { ...PATIENT, PAYMENT_SECRET },
      });
      const runs = await Promise.all(
        OPERATIONS.map(async (operation) => {
          const scene = await operation.prepare(world);
          const held = proxy.hold(scene.shop.tenantId, (event) => step(event) && isOperation(event));
          return { operation, scene, held, before: await contentsOf(world, scene.shop) };
        }),
      );
      const answers = runs.map(async ({ operation, scene }) =>
        SENDS[operation.name]?.(victim.url, scene).catch(() => null),
      );
      await Promise.all(runs.map(async ({ held }) => held.reached));
      await victim.kill();
      for (const { held } of runs) held.letGo('RESET');
      expect(new Set(await Promise.all(answers))).toEqual(new Set([null, undefined]));
      for (const { operation, scene, before } of runs) {
        const { shop } = scene;
        const left = isApplied ? before : await contentsOf(world, shop);
        expect(left, `what ${operation.name} left`).toEqual(before);
        const answer = await operation.ask(world, scene);
        expect(await operation.ask(world, scene), `the answer to ${operation.name}`).toBe(answer);
        const expected = await tallyUnharmed(operation);
        expect(await tallyOf(world, shop), `the outcome of ${operation.name}`).toEqual(expected);
        await expectClean(world, shop);
      }
    },
  );
});

const unharmed = new Map<string, Record<string, number>>();

/** What there is in the end where nothing is killed. */
async function tallyUnharmed({ name, prepare, ask, once }: OrderOperation): Promise<Record<string, number>> {
  const known = unharmed.get(name);
  if (known !== undefined) return known;
  const scene = await prepare(world);
  await ask(world, scene);
  const tally = await tallyOf(world, scene.shop);
  expect(tally).toMatchObject(once);
  unharmed.set(name, tally);
  return tally;
}
