import { linesWith, withoutComments } from './code.js';
import { isCode, perFile, word, type Rule } from './rule.js';

/** Reserved by MySQL 9 and taken by MariaDB 10.11 as the name of a column: `information_schema.keywords`, tried on both. */
const RESERVED = [
  'cube|cume_dist|database|dense_rank|empty|external|first_value|function|generated|get|grouping|groups',
  'io_after_gtids|io_before_gtids|json_table|lag|last_value|lateral|lead|library|nth_value|ntile|optimizer_costs',
  'option|percent_rank|qualify|rank|row|schema|stored|system|tablesample|virtual|window',
].join('|');

const NAMED = new RegExp(String.raw`\bas (?:${RESERVED})\b`);

const STORED = word('sto', 'red');

export const sqlWords: Rule = {
  says: 'gives no column of a statement a name that MySQL reserves',
  check: perFile(isCode, (file) =>
    linesWith(withoutComments(file.text), NAMED).map((line) => `line ${line}: MySQL reserves the name`),
  ),
  broken: { 'a column': { 'src/a.ts': `const ALL = 'select count(*) as ${STORED} from code';` } },
  kept: {
    'src/a.ts': `// Counts are as ${STORED}.\nconst ALL = 'select count(*) as storedCount from code';`,
  },
};
