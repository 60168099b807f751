/** Why an order gives back what it took. */
export const GIVE_BACK_CAUSES = ['TIMEOUT', 'CANCELLED', 'REFUNDED'] as const;
export type GiveBackCause = (typeof GIVE_BACK_CAUSES)[number];

/** What moved a coupon or points: the staff, a redemption, an order, its end, or the calendar. */
export const LEDGER_CAUSES = ['STAFF', 'REDEMPTION', 'ORDER', ...GIVE_BACK_CAUSES, 'EXPIRY'] as const;
export type LedgerCause = (typeof LEDGER_CAUSES)[number];
