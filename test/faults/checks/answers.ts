import type { Try, TryOutcome } from '../load/client-log.js';
import { begunMs, committedOf, type Evidence } from './evidence.js';
import type { Facts, RedemptionFact } from './facts.js';
import { violation, type Violation } from './violation.js';

/** I2: answers to clients agree with the database, and a key names one redemption for ever. */
export function checkAnswers(evidence: Evidence): Violation[] {
  const { tries, facts, unsettled } = evidence;
  const rows = new Map(facts.redemptions.map((row) => [row.id, row]));
  return [
    ...tries.flatMap((each) => checkAnswer(each, rows)),
    ...committedOf(facts)
      .filter((row) => begunMs(row, tries) === Infinity)
      .map((row) => violation('I2', `redemption ${row.id}: no caller waited for it or was answered with it`)),
    ...checkKeys(tries, facts),
    ...checkDeferred(tries, facts, rows),
    ...unsettled.map(({ userId, codeId, key }) =>
      violation('I2', `user ${userId} never got a final answer for code ${codeId}, key ${key}`),
    ),
  ];
}

/** What a fault must not make of an answer: these tell the client nothing. */
const IS_NO_ANSWER = new Set([
  'INTERNAL_SERVER_ERROR',
  'HTTP_500',
  'ANSWERED_COMMITTED',
  'ANSWERED_PROCESSING',
]);

function checkAnswer(each: Try, rows: ReadonlyMap<string, RedemptionFact>): Violation[] {
  const { no, outcome, userId, codeId } = each;
  if (outcome.kind === 'UNKNOWN') {
    const what = `try ${no} was answered ${outcome.reason}`;
    return IS_NO_ANSWER.has(outcome.reason) ? [violation('I2', what)] : [];
  }
  const named = namedBy(each);
  if (named === null) return [];
  const row = rows.get(named);
  if (row?.status !== 'COMMITTED') {
    return [
      violation(
        'I2',
        `try ${no} was answered with redemption ${named}, which is ${row?.status ?? 'not there'}`,
      ),
    ];
  }
  const isOfTry = row.userId === userId && row.codeId === codeId;
  if (!isOfTry)
    return [violation('I2', `try ${no} was answered with redemption ${named}, of another user or code`)];
  return outcome.kind === 'COMMITTED' ? checkShown(each, outcome, row) : [];
}

function checkShown(
  { no, userId, codeId, key }: Try,
  outcome: Extract<TryOutcome, { kind: 'COMMITTED' }>,
  row: RedemptionFact,
): Violation[] {
  const isAsShown = outcome.userId === userId && outcome.codeId === codeId && outcome.useNo === row.useNo;
  const isOfKey = row.key === key;
  return [
    ...(isAsShown ? [] : [violation('I2', `try ${no} was shown redemption ${row.id} other than it is`)]),
    ...(isOfKey
      ? []
      : [violation('I2', `try ${no}: key ${key} was answered by ${row.id}, which bears the key ${row.key}`)]),
  ];
}

/** The redemption that an answer says is there. */
function namedBy({ outcome }: Try): string | null {
  if (outcome.kind === 'COMMITTED') return outcome.redemptionId;
  if (outcome.kind !== 'REFUSED' || outcome.refusal !== 'ALREADY_REDEEMED') return null;
  return outcome.firstId ?? 'none';
}

function checkKeys(tries: readonly Try[], facts: Facts): Violation[] {
  const keyed = tries.filter(({ key }) => key !== null);
  const byKey = Map.groupBy(keyed, ({ userId, key }) => `${userId}|${key}`);
  const rows = committedOf(facts).filter(({ key }) => key !== null);
  const rowOf = new Map(rows.map((row) => [`${row.userId}|${row.key}`, row]));
  return [...byKey].flatMap(([key, own]) => checkKey(key, own, rowOf.get(key)));
}

/** Once a key is answered COMMITTED it is answered so for ever, and refused for another code. */
function checkKey(key: string, tries: readonly Try[], row: RedemptionFact | undefined): Violation[] {
  const found = tries.flatMap((each) => reuseWithoutUse(key, each, tries));
  const committed = tries.filter(
    ({ outcome }) => outcome.kind === 'COMMITTED' && outcome.redemptionId === row?.id,
  );
  if (row === undefined || committed.length === 0) return found;
  const knownMs = Math.min(...committed.map(({ endMs }) => endMs ?? Infinity));
  for (const { no, startMs, codeId, outcome } of tries) {
    if (startMs <= knownMs || outcome.kind === 'UNKNOWN' || outcome.kind === 'PROCESSING') continue;
    const isRight =
      codeId === row.codeId
        ? outcome.kind === 'COMMITTED' && outcome.redemptionId === row.id
        : outcome.kind === 'REFUSED' && outcome.refusal === 'IDEMPOTENCY_KEY_REUSED';
    const answer = outcome.kind === 'REFUSED' ? outcome.refusal : outcome.redemptionId;
    if (!isRight)
      found.push(violation('I2', `try ${no}: key ${key} stands for ${row.id}, answered ${answer}`));
  }
  return found;
}

function reuseWithoutUse(key: string, each: Try, tries: readonly Try[]): Violation[] {
  const { no, codeId, endMs, outcome } = each;
  if (outcome.kind !== 'REFUSED' || outcome.refusal !== 'IDEMPOTENCY_KEY_REUSED') return [];
  const isReused = tries.some((other) => other.codeId !== codeId && other.startMs <= (endMs ?? Infinity));
  return isReused ? [] : [violation('I2', `try ${no}: key ${key} was never sent with another code`)];
}

/** A deferred redemption ends under its order number: FINISHED or FAILED, never both, with exactly one event. */
function checkDeferred(
  tries: readonly Try[],
  facts: Facts,
  rows: ReadonlyMap<string, RedemptionFact>,
): Violation[] {
  const deferred = new Set(
    tries.flatMap(({ outcome }) => (outcome.kind === 'PROCESSING' ? [outcome.orderNo] : [])),
  );
  return [...deferred].flatMap((orderNo) => {
    const order = facts.orders.find(({ id }) => id === orderNo)?.status ?? 'not there';
    const row = rows.get(orderNo)?.status ?? 'not there';
    const told = facts.events
      .filter(({ type, redemptionId }) => type === 'redemption_settled' && redemptionId === orderNo)
      .map(({ status }) => status);
    const isSettled =
      (order === 'FINISHED' && row === 'COMMITTED' && told.join(',') === 'COMMITTED') ||
      (order === 'FAILED' && row === 'ABORTED' && told.join(',') === 'REFUSED');
    const what = `deferred ${orderNo}: the order is ${order}, the redemption ${row}, events [${told.join(', ')}]`;
    return isSettled ? [] : [violation('I2', what)];
  });
}
