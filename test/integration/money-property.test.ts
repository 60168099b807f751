import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Money } from '../../src/platform/decimal.js';
import { ledgerOf, makeMoneyScene, outcomeOf, USD, type MoneyScene } from '../support/money-world.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const USERS = 3;
const FEE = '0.05';
const user = fc.nat({ max: USERS - 1 });
/** Few amounts, so that balances come to an end, and few order ids, so that they come again. */
const amount = fc.integer({ min: 1, max: 3000 }).map((cents) => new Money(cents).div(100).toFixed());
const orderId = fc.integer({ min: 1, max: 12 }).map((no) => `o${no}`);
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('RECHARGE', 'REFUND'), user, amount, orderId }),
  fc.record({ kind: fc.constant('PAYMENT'), user, amount: amount.map((text) => `-${text}`), orderId }),
  fc.record({ kind: fc.constant('TRANSFER'), user, to: user, amount, orderId }),
);
type Step = { kind: string; user: number; amount: string; orderId: string; to?: number };

/** The ledger as it should be, in a few lines. */
class Model {
  readonly balances = Array.from({ length: USERS }, () => new Money(0));
  private readonly made = new Map<string, string>();

  /** What the step should come to. */
  play({ kind, user: at, to, amount: text, orderId: id }: Step): string {
    const value = new Money(text);
    const what = `${to ?? ''} ${value.toFixed()}`;
    const key = kind === 'TRANSFER' ? `T ${at} ${id}` : `${kind} ${at} ${id}`;
    const known = this.made.get(key);
    if (known !== undefined) return known === what ? 'OK' : 'ORDER_ID_REUSED';
    const refused = kind === 'TRANSFER' ? this.transfer(at, to ?? 0, value) : this.change(at, value);
    if (refused === 'OK') this.made.set(key, what);
    return refused;
  }

  private change(at: number, value: Money): string {
    const after = (this.balances[at] ?? new Money(0)).plus(value);
    if (after.isNegative()) return 'INSUFFICIENT_BALANCE';
    this.balances[at] = after;
    return 'OK';
  }

  private transfer(from: number, to: number, value: Money): string {
    if (from === to) return 'TRANSFER_TO_ONESELF';
    const fee = value.times(FEE).toDecimalPlaces(2, Money.ROUND_HALF_EVEN);
    if (this.change(from, value.negated()) !== 'OK') return 'INSUFFICIENT_BALANCE';
    return this.change(to, value.minus(fee));
  }
}

async function play(
  scene: MoneyScene,
  { kind, user: at, to, amount: text, orderId: id }: Step,
): Promise<string> {
  const userId = scene.users[at] ?? '';
  const place = { facilityId: scene.facilityId, currency: USD, amount: text, orderId: id };
  const { transfers, ledger } = world.services;
  if (kind === 'TRANSFER') {
    const input = { ...place, toUserId: scene.users[to ?? 0] ?? '' };
    return outcomeOf(transfers.transfer(null, scene.tenantId, userId, input));
  }
  const type = kind as 'RECHARGE' | 'REFUND' | 'PAYMENT';
  return outcomeOf(ledger.changeBalance(null, scene.tenantId, { ...place, userId, type }));
}

describe('any sequence of credits, debits and transfers', () => {
  it('I4 S3.3 S3.5 is answered as a model says; the ledger sums to zero, and balances are the sums of entries', async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const scene = await makeMoneyScene(world, USERS, { feeRate: FEE });
      const model = new Model();
      for (const each of steps) expect([each, await play(scene, each)]).toEqual([each, model.play(each)]);
      for (const [at, balance] of model.balances.entries()) {
        const stored = await scene.balance(scene.users[at] ?? '');
        expect(stored === 'none' ? '0' : stored).toBe(balance.toFixed());
      }
      expect(await ledgerOf(scene)).toMatchObject({ sum: '0', faults: [] });
      const { tenantId } = scene;
      const report = await reconcilerOf(world).reconciler.run({ tenantId, repair: false });
      expect(driftsOf(report)).toEqual({});
    });
    await fc.assert(property, { numRuns: 15 });
  }, 120_000);
});
