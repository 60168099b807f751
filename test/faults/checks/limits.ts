import { begunMs, committedOf, type Evidence } from './evidence.js';
import type { CodeFact, RedemptionFact } from './facts.js';
import { violation, type Violation } from './violation.js';

/** I1: what is redeemed of a code, by a user, and of a budget never passes its limit, and counters count it. */
export function checkLimits(evidence: Evidence): Violation[] {
  const committed = committedOf(evidence.facts);
  const byCode = Map.groupBy(committed, ({ codeId }) => codeId);
  return [
    ...evidence.facts.codes.flatMap((code) => checkCode(code, byCode.get(code.id) ?? [])),
    ...checkCampaigns(evidence, committed),
    ...checkUsage(evidence, committed),
    ...checkRefusalsByLimits(evidence, committed),
  ];
}

function checkCode(code: CodeFact, uses: readonly RedemptionFact[]): Violation[] {
  const found: Violation[] = [];
  const report = (what: string): void => void found.push(violation('I1', `code ${code.id}: ${what}`));
  if (code.useLimit > 0 && uses.length > code.useLimit) {
    report(`${uses.length} redemptions of ${code.useLimit} uses`);
  }
  if (new Set(uses.map(({ userId }) => userId)).size < uses.length) report('redeemed twice by one user');
  const numbers = uses.map(({ useNo }) => useNo ?? 0).toSorted((a, b) => a - b);
  const isNumbered = numbers.every((number, at) => number === at + 1) && code.lastUseNo === numbers.length;
  if (!isNumbered) report(`uses are numbered ${numbers.join(', ')}, the last given is ${code.lastUseNo}`);
  return found;
}

function checkCampaigns({ campaigns }: Evidence, committed: readonly RedemptionFact[]): Violation[] {
  return campaigns.flatMap(({ campaignId, budgetUses, userLimitTotal }) => {
    const own = committed.filter((row) => row.campaignId === campaignId);
    const found: Violation[] = [];
    if (budgetUses > 0 && own.length > budgetUses) {
      found.push(
        violation('I1', `campaign ${campaignId}: ${own.length} redemptions of ${budgetUses} budgeted`),
      );
    }
    for (const [userId, uses] of Map.groupBy(own, (row) => row.userId)) {
      if (userLimitTotal > 0 && uses.length > userLimitTotal) {
        const what = `campaign ${campaignId}: user ${userId} redeemed ${uses.length} of ${userLimitTotal}`;
        found.push(violation('I1', what));
      }
    }
    return found;
  });
}

/** Counters exist where a campaign has the limit that they are for, and say what the rows say. */
function checkUsage({ campaigns, facts }: Evidence, committed: readonly RedemptionFact[]): Violation[] {
  const limited = new Set(
    campaigns.filter((each) => each.budgetUses > 0 || each.userLimitTotal > 0).map((each) => each.campaignId),
  );
  return facts.usage
    .filter(({ campaignId }) => limited.has(campaignId))
    .flatMap(({ campaignId, userId, uses }) => {
      const rows = committed.filter(
        (row) => row.campaignId === campaignId && (userId === '0' || row.userId === userId),
      );
      const what = `campaign ${campaignId}: the counter of user ${userId} says ${uses}, rows ${rows.length}`;
      return rows.length === uses ? [] : [violation('I1', what)];
    });
}

/** A refusal by a limit needs as many redemptions begun before it as the limit allows. */
function checkRefusalsByLimits(evidence: Evidence, committed: readonly RedemptionFact[]): Violation[] {
  const { campaigns, tries } = evidence;
  const begun = committed.map((row) => ({ row, atMs: begunMs(row, tries) }));
  return tries.flatMap(({ no, userId, codeId, endMs, outcome }) => {
    if (outcome.kind !== 'REFUSED') return [];
    const campaign = campaigns.find(({ codes }) => codes.some((code) => code.codeId === codeId));
    const before = begun.filter(
      ({ row, atMs }) => row.campaignId === campaign?.campaignId && atMs <= (endMs ?? Infinity),
    );
    const own = before.filter(({ row }) => row.userId === userId).length;
    const isWrong =
      (outcome.refusal === 'BUDGET_EXHAUSTED' && before.length < (campaign?.budgetUses ?? 0)) ||
      (outcome.refusal === 'USER_LIMIT_REACHED' && own < (campaign?.userLimitTotal ?? 0));
    const what = `try ${no} was answered ${outcome.refusal} when ${before.length} uses were spent, ${own} by the user`;
    return isWrong ? [violation('I1', what)] : [];
  });
}
