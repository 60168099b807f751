import { LIMITED_LINE, LINE_LIMIT } from '../load/supply.js';
import { checkAnswers } from './answers.js';
import { checkBatches } from './batches.js';
import { checkEffects } from './effects.js';
import { committedOf, type Evidence } from './evidence.js';
import { historyOf, resolved, unexplained } from './history.js';
import { checkLimits } from './limits.js';
import { checkDeadlines, checkRest } from './rest.js';
import { checkSecrets } from './secrets.js';
import { checkStream } from './stream.js';
import { violation, type Violation } from './violation.js';
import { checkWindows } from './windows.js';

export interface CheckSettings {
  /** How long after its deadline a claim may still be open. */
  readonly deadlineGraceMs: number;
}

/** Everything that must hold when a workload is over, held against what clients, database and Redis say. */
export function checkAll(evidence: Evidence, { deadlineGraceMs }: CheckSettings): Violation[] {
  return [
    ...checkLimits(evidence),
    ...checkAnswers(evidence),
    ...checkRest(evidence),
    ...checkBatches(evidence),
    ...checkEffects(evidence),
    ...checkDeadlines(evidence, deadlineGraceMs),
    ...checkStream(evidence),
    ...checkWindows(evidence, LIMITED_LINE, LINE_LIMIT),
    ...checkSecrets(evidence),
    ...checkHistories(evidence),
  ];
}

/** Each code's history alone, and then with the database's outcome of the unanswered requests. */
function checkHistories({ campaigns, tries, facts }: Evidence): Violation[] {
  const committed = committedOf(facts);
  const codes = campaigns.flatMap((campaign) => campaign.codes);
  return codes.flatMap(({ codeId, useLimit }) => {
    const history = historyOf(tries, codeId);
    const uses = committed
      .filter((row) => row.codeId === codeId)
      .map(({ userId, id }) => ({ userId, redemptionId: id }));
    const found = [...unexplained(history, useLimit), ...unexplained(resolved(history, uses), useLimit)];
    return [...new Set(found)].map((what) => violation('HISTORY', `code ${codeId}: ${what}`));
  });
}
