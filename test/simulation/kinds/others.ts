import { seedUser } from '../../support/world.js';
import type { Kind } from '../kind.js';

/** A new user, who has no accounts, coupons or subscriptions yet, instead of another one. */
export const JOIN: Kind = {
  name: 'JOIN',
  weight: 1,
  refusals: [],
  make: ({ scene, known, draw }) => {
    const place = draw.between(0, 99);
    return {
      says: `at place ${place}`,
      send: async (world) => {
        known.replace(await seedUser(world, scene.tenantId), place);
        return 'JOINED';
      },
    };
  },
};
