import { committedOf, type Drained, type Evidence } from './evidence.js';
import { violation, type Violation } from './violation.js';

/** I3: at rest the counters count the rows, Redis' copies say the same or are absent, and no use is held or lost. */
export function checkRest({ facts, drained }: Evidence): Violation[] {
  const uses = Map.groupBy(committedOf(facts), ({ codeId }) => codeId);
  const { open, claims, copies } = facts.redis;
  const found = facts.codes.flatMap(({ id, digest, used, version }) => {
    const rows = uses.get(id)?.length ?? 0;
    const copy = copies[digest];
    const held = claims[digest] ?? [];
    return [
      ...(used === rows ? [] : [`code ${id}: used is ${used}, rows are ${rows}`]),
      ...(copy === undefined || copy.used === used
        ? []
        : [`code ${id}: the copy says ${copy.used} uses, not ${used}`]),
      ...(copy === undefined || copy.version <= version ? [] : [`code ${id}: the copy is of the future`]),
      ...held.map((redemptionId) => `code ${id}: claim ${redemptionId} is open`),
    ];
  });
  const listed = open.map(({ member }) => `claim ${member} is listed as open`);
  return [...found, ...listed, ...drained.flatMap(lostUses)].map((what) => violation('I3', what));
}

function lostUses({ what, left, redeemed, outcomes, end }: Drained): string[] {
  const last = outcomes.at(-1);
  return [
    ...(redeemed === left
      ? []
      : [`${what}: ${left} uses were left, ${redeemed} could be redeemed (${outcomes.join(', ')})`]),
    ...(end === null || last === end ? [] : [`${what}: one more use was answered ${last}, not ${end}`]),
  ];
}

/** I6: a claim whose deadline passed is settled by the sweeper in time. */
export function checkDeadlines({ facts }: Evidence, graceMs: number): Violation[] {
  const { open, nowMs } = facts.redis;
  return open
    .filter(({ deadlineMs }) => deadlineMs + graceMs < nowMs)
    .map(({ member, deadlineMs }) =>
      violation('I6', `claim ${member} is ${nowMs - deadlineMs} ms past its deadline and still open`),
    );
}
