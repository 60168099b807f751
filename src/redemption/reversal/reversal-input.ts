import { z } from 'zod';
import { nameText, orElse, parseInput } from '../../platform/input.js';
import { SPENT_REWARDS } from '../../rewards/reward-handler.js';
import type { ReverseRedemptionRefusal } from '../redemption.errors.js';

const reverseInput = z.strictObject({
  redemptionId: z.string(),
  reason: nameText(200),
  returnUse: orElse(z.boolean(), false),
  spent: orElse(z.enum(SPENT_REWARDS), 'REFUSE'),
});

/** @throws DomainError REASON_NOT_ALLOWED INPUT_NOT_ALLOWED */
export function reversalWish(input: unknown) {
  return parseInput<typeof reverseInput, ReverseRedemptionRefusal>(reverseInput, input, {
    reason: 'REASON_NOT_ALLOWED',
    input: 'INPUT_NOT_ALLOWED',
  });
}
