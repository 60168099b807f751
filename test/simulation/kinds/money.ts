import type { LedgerRefusal, TransferRefusal } from '../../../src/money/money.errors.js';
import type { Kind } from '../kind.js';
import { placeOf } from '../scene.js';

export const TRANSFER: Kind = {
  name: 'TRANSFER',
  weight: 10,
  refusals: [
    'TRANSFER_TO_ONESELF',
    'DAILY_COUNT_EXCEEDED',
    'INSUFFICIENT_BALANCE',
  ] satisfies readonly TransferRefusal[],
  make: ({ scene, known, model, draw, name }) => {
    const fromUserId = known.user(draw);
    const toUserId = known.user(draw);
    const place = placeOf(scene, draw);
    const input = { ...place, toUserId, amount: `${draw.between(1, 20)}`, orderId: name };
    return {
      says: `${fromUserId} ${JSON.stringify(input)}`,
      send: async ({ services }) => {
        const made = await services.transfers.transfer(null, scene.tenantId, fromUserId, input);
        model.isNew(`transfer of ${name}`, made.id);
        model.move(`transfer ${made.id}`, { ...place, userId: fromUserId }, `-${made.amount}`);
        model.move(`transfer ${made.id}`, { ...place, userId: toUserId }, made.net);
        return 'TRANSFERRED';
      },
    };
  },
};

/** Staff give more than they take, so that there is something to spend. */
export const ADJUST: Kind = {
  name: 'ADJUST',
  weight: 9,
  refusals: ['INSUFFICIENT_BALANCE'] satisfies readonly LedgerRefusal[],
  make: ({ scene, known, model, draw, name }) => {
    const place = placeOf(scene, draw);
    const userId = known.user(draw);
    const amount = draw.chance(0.75) ? `${draw.between(5, 60)}` : `-${draw.between(1, 40)}`;
    const input = { ...place, userId, amount, orderId: name, remark: 'A simulation' };
    return {
      says: JSON.stringify(input),
      send: async ({ services }) => {
        const entry = await services.accounts.adjust(scene.tenantId, 'eve', input);
        model.isNew(`adjustment of ${name}`, entry.id);
        model.move(`adjustment ${entry.id}`, { ...place, userId }, entry.amount);
        return 'ADJUSTED';
      },
    };
  },
};
