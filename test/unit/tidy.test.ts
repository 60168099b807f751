import { describe, expect, it } from 'vitest';
import { acceptance } from './tidy/acceptance.js';
import { arrows } from './tidy/arrows.js';
import { cycles } from './tidy/cycles.js';
import { errorsDocument } from './tidy/errors-doc.js';
import { barrels, clients, libraries } from './tidy/libraries.js';
import { docsIndex, links } from './tidy/links.js';
import { luaCalls, luaHeaders } from './tidy/lua.js';
import { exactVersions, traces } from './tidy/packages.js';
import { readProject } from './tidy/project.js';
import { retries } from './tidy/retries.js';
import { projectOf, type Rule } from './tidy/rule.js';
import { saidOnce } from './tidy/said-once.js';
import { sizes } from './tidy/sizes.js';
import { sqlWords } from './tidy/sql-words.js';
import { tablesDocument } from './tidy/tables-doc.js';
import { quotedTests, testNames } from './tidy/test-names.js';
import { bannedWords, leftOvers } from './tidy/words.js';

/** The rules of the project that a reader would otherwise have to remember, kept by a test. */
const RULES: readonly Rule[] = [
  arrows,
  cycles,
  libraries,
  barrels,
  clients,
  sizes,
  bannedWords,
  leftOvers,
  luaHeaders,
  luaCalls,
  errorsDocument,
  links,
  docsIndex,
  saidOnce,
  sqlWords,
  retries,
  tablesDocument,
  testNames,
  quotedTests,
  acceptance,
  exactVersions,
  traces,
];

const project = readProject();

describe.each(RULES.map((rule) => [rule.says, rule] as const))('the project %s', (_says, rule) => {
  it('today', () => {
    expect(rule.check(project)).toEqual([]);
  });

  it.each(Object.entries(rule.broken))('and the rule finds %s', (_name, files) => {
    expect(rule.check(projectOf(files))).toHaveLength(1);
  });

  it('and the rule accepts what keeps it', () => {
    expect(rule.check(projectOf(rule.kept))).toEqual([]);
  });
});
