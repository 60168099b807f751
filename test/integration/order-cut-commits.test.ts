import { describe, expect, it } from 'vitest';
import { DatabaseProxy, isCommitReply, isCommitRequest } from '../support/database-proxy.js';
import { expectHoldings, FULL_AMOUNT, wantFullAlone } from '../support/full-orders.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { ORDER_OPERATIONS, tallyOf, type OrderOperation } from '../support/order-operations.js';
import { expectClean, expire, orderOf, place } from '../support/orders.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { openWorld, type World } from '../support/world.js';

let proxy: DatabaseProxy;
/** Its connections are cut. */
let world: World;
/** Its connections are not. */
let other: World;
openBeforeAll(async (closing) => {
  // The sweep is for all tenants, so that of another test must not come in between.
  const database = await closing(createScratchDatabase());
  proxy = await closing(DatabaseProxy.open(database.databaseUrl));
  world = await closing(openWorld({}, { databaseUrl: proxy.url }));
  other = await closing(openWorld({}, database));
});

/** What there is in the end where nothing is cut. */
async function tallyUncut({ prepare, ask }: OrderOperation) {
  const scene = await prepare(other);
  await ask(other, scene);
  return tallyOf(other, scene.shop);
}

/** Cuts the next COMMIT of a tenant on the wire. */
function cutNext(tenantId: string, isApplied: boolean): Promise<void> {
  const held = proxy.hold(tenantId, isApplied ? isCommitReply : isCommitRequest);
  held.letGo('RESET');
  return held.reached;
}

describe.each([
  ['whose reply is cut on the wire', true],
  ['that is cut on the wire', false],
])('a COMMIT %s', (_, isApplied) => {
  it.each(ORDER_OPERATIONS)(
    'of $name does it once, and the call repeated answers the same',
    async (operation) => {
      const expected = await tallyUncut(operation);
      expect(expected).toMatchObject(operation.once);
      const scene = await operation.prepare(other);
      const cut = cutNext(scene.shop.tenantId, isApplied);
      const answer = await operation.ask(world, scene);
      await cut;
      expect(await operation.ask(world, scene)).toBe(answer);
      expect(await operation.ask(other, scene)).toBe(answer);
      expect(await tallyOf(other, scene.shop)).toEqual(expected);
      await expectClean(other, scene.shop);
    },
  );

  it.each(['a sweep', 'a delayed job'])(
    'of %s gives back once, and the next one finds nothing to do',
    async (by) => {
      const full = await wantFullAlone(other, { inventory: 3 });
      const { shop, userId, input } = full;
      const { tenantId } = shop;
      const { id: orderId } = await place(other, shop, userId, input);
      await expire(other, shop);
      const close = async ({ services: { orderTimeouts } }: World) =>
        by === 'a sweep' ? orderTimeouts.sweep() : orderTimeouts.work({ tenantId, orderId });
      const cut = cutNext(tenantId, isApplied);
      // Whether it was closed is not known; the worker comes again.
      await expect(close(world)).rejects.toThrow();
      await cut;
      await close(world);
      await close(other);
      expect((await orderOf(other, shop, orderId)).status).toBe('CLOSED');
      await expectHoldings(other, full, FULL_AMOUNT);
      expect(await tallyOf(other, shop)).toMatchObject({
        'coupon REFUND': 2,
        'points GIVE_BACK': 1,
        inventory: 3,
      });
      await expectClean(other, shop);
    },
  );
});
