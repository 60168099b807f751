import { diff } from 'node:util';

const MARKS = { '-1': '-', 0: ' ', 1: '+' };
const CONTEXT_LINES = 2;

/** The changed lines of a text with a little of what stands around them, marked - and + as in a patch. */
export function differenceOf(before, after) {
  const steps = diff(after.split('\n'), before.split('\n'));
  const near = (index) =>
    steps
      .slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some(([change]) => change !== 0);
  return steps.flatMap(([change, line], index) => (near(index) ? [`${MARKS[change]} ${line}`] : []));
}
