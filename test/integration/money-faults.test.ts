import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { failAt, loseNextCommit, statementCount } from '../support/failing-statements.js';
import { ledgerOf, makeMoneyScene, outcomeOf, type MoneyScene } from '../support/money-world.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());
afterEach(() => vi.restoreAllMocks());

/** A sender with 100, and a recipient with an account or without one. */
async function makePair(hasAccount: boolean) {
  const scene = await makeMoneyScene(world, 2, { feeRate: '0.1' });
  const [from = '', to = ''] = scene.users;
  await scene.fund(from, '100');
  if (hasAccount) await scene.fund(to, '1');
  const send = async (): Promise<string> => outcomeOf(scene.transfer(from, to, '10', { orderId: 'once' }));
  return { scene, from, to, send };
}

const stateOf = async (scene: MoneyScene) => ({
  ledger: await ledgerOf(scene),
  days: await scene.sql('select * from transfer_day where tenant_id = ?', [scene.tenantId]),
  events: await scene.sql('select seq, type from outbox_event where tenant_id = ?', [scene.tenantId]),
});

const countOf = async (hasAccount: boolean) => statementCount(world, (await makePair(hasAccount)).send);

/** Once, and nothing is left over. */
async function expectMade(
  { scene, from, to }: Awaited<ReturnType<typeof makePair>>,
  before: number,
): Promise<void> {
  expect(await scene.balance(from)).toBe('90');
  expect(await scene.balance(to)).toBe(String(before + 9));
  const { ledger, days, events } = await stateOf(scene);
  expect(ledger).toMatchObject({ transfers: 1, sum: '0', faults: [] });
  expect(days).toMatchObject([{ count: 1, sum: '10.0000000000' }]);
  expect(events).toMatchObject([{ type: 'transfer_made' }]);
  const { tenantId } = scene;
  expect(driftsOf(await reconcilerOf(world).reconciler.run({ tenantId, repair: false }))).toEqual({});
}

describe('a transfer', () => {
  it.each([
    ['to a first account', false],
    ['between two accounts', true],
  ])(
    'S3.6 changes nothing when any of its statements fails, and can be sent again: %s',
    async (_what, hasAccount) => {
      const count = await countOf(hasAccount);
      expect(count).toBeGreaterThan(12);
      const pair = await makePair(hasAccount);
      const before = await stateOf(pair.scene);
      for (let place = 1; place <= count; place += 1) {
        failAt(world, place);
        expect(await pair.send()).toContain('was made to fail');
        vi.restoreAllMocks();
        expect(await stateOf(pair.scene), `statement ${place}`).toEqual(before);
      }
      expect(await pair.send()).toBe('OK');
      await expectMade(pair, hasAccount ? 1 : 0);
    },
  );

  it('S3.14 runs again as a whole after a deadlock, a lock timeout or a changed record, wherever they come', async () => {
    const count = await countOf(true);
    for (let place = 1; place <= count; place += 1) {
      const pair = await makePair(true);
      const errno = [1213, 1205, 1020][place % 3];
      failAt(world, place, Object.assign(new Error('planted'), { errno }));
      expect(await pair.send()).toBe('OK');
      vi.restoreAllMocks();
      await expectMade(pair, 1);
    }
  }, 60_000);

  it('S3.11 is answered as made when only the reply to its COMMIT was lost', async () => {
    const pair = await makePair(true);
    loseNextCommit(world, { isApplied: true });
    expect(await pair.send()).toBe('OK');
    await expectMade(pair, 1);
    expect(await pair.send()).toBe('OK');
    await expectMade(pair, 1);
  });

  it('S3.11 is made once when its COMMIT was lost on the way', async () => {
    const pair = await makePair(true);
    loseNextCommit(world, { isApplied: false });
    expect(await pair.send()).toBe('OK');
    await expectMade(pair, 1);
  });
});
