import { CliError } from './failures.js';
import { readJson } from './json-input.js';

/** Stands in a rule file for the plan that the command line names. */
const PLAN = '$PLAN';

/** Reads a rule; `$PLAN` in it becomes the plan that was named, so that one file serves many plans. */
export async function readRule(file: string, plan: string | undefined): Promise<unknown> {
  const rule = await readJson(file);
  const text = JSON.stringify(rule);
  if (!text.includes(JSON.stringify(PLAN))) return rule;
  if (plan === undefined) {
    throw new CliError(
      `${file} names ${PLAN}: say which plan it is with --plan <id>; \`plan list\` shows their ids.`,
    );
  }
  return JSON.parse(text, (_key, value: unknown) => (value === PLAN ? plan : value));
}
