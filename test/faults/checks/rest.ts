import { committedOf, type Drained, type Evidence } from './evidence.js';
import type { Facts } from './facts.js';
import { violation, type Violation } from './violation.js';

/** I3: at rest the counters count the rows, Redis' copies say the same or are absent, and no use is held or lost. */
export function checkRest({ facts, earlierFacts, drained, claimsSeen, redisForgot }: Evidence): Violation[] {
  const found = [
    ...earlierFacts.flatMap(unrest).map((what) => `${what}, at an earlier rest`),
    ...unrest(facts),
    ...drained.flatMap(lostUses),
    ...(redisForgot ? [] : vanished(claimsSeen, facts)),
  ];
  return found.map((what) => violation('I3', what));
}

function unrest(facts: Facts): string[] {
  const uses = Map.groupBy(committedOf(facts), ({ codeId }) => codeId);
  const { open, jobs, claims, copies } = facts.redis;
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
  return [
    ...found,
    ...open.map(({ member }) => `claim ${member} is listed as open`),
    ...jobs.map((id) => `job ${id} is left to do`),
  ];
}

/** A claim is closed after its redemption or its tombstone is committed, never before, and so leaves a row. */
function vanished(claimsSeen: readonly string[], { redemptions, redis }: Facts): string[] {
  const settled = new Set(redemptions.map(({ id }) => id));
  for (const { member } of redis.open) settled.add(member.split('|')[0] ?? '');
  return claimsSeen.filter((id) => !settled.has(id)).map((id) => `claim ${id} was closed without a row`);
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
