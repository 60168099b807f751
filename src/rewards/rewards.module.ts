import type { RewardHandler } from './reward-handler.js';
import type { RewardType } from './reward-rule.js';

/** Where features that give goods put their {@link RewardHandler}, and campaigns and redemptions find it. */
export const rewards = {
  name: 'rewards',
  compose: () => ({ services: { handlers: new Map<RewardType, RewardHandler>() } }),
};
