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

/** A reversal as it is wanted, by whom of the staff, and when. */
export interface Reversal extends z.output<typeof reverseInput> {
  readonly tenantId: string;
  readonly by: string;
  readonly at: Date;
}

/** @throws DomainError REASON_NOT_ALLOWED INPUT_NOT_ALLOWED */
export function reversalWish(input: unknown): z.output<typeof reverseInput> {
  return parseInput<typeof reverseInput, ReverseRedemptionRefusal>(reverseInput, input, {
    reason: 'REASON_NOT_ALLOWED',
    input: 'INPUT_NOT_ALLOWED',
  });
}
