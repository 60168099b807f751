export const AN_ID = '4611686018427387904';

/** What `redeemCode` answers for a committed redemption, without one. */
export function emptyPayload(userId: string, productCode: string | null) {
  const instant = new Date(1_800_000_000_000);
  const reward = { type: 'SUBSCRIPTION', status: 'GRANTED', sourceId: AN_ID, targetId: AN_ID, value: '0' };
  const redemption = {
    id: AN_ID,
    status: 'COMMITTED',
    codeId: AN_ID,
    campaignId: AN_ID,
    userId,
    useNo: 1,
    productCode,
    claimedAt: instant,
    settledAt: instant,
    rewards: [reward],
  };
  return { status: 'COMMITTED', redemption, orderNo: AN_ID, errors: [] };
}
