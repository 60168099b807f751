import { isCode, perFile, type Rule } from './rule.js';

const CODE_LINES_MAX = 400;
const LUA_LINES_MAX = 120;

const lineCount = (text: string): number => text.replace(/\n$/, '').split('\n').length;

export const sizes: Rule = {
  says: `keeps files to ${CODE_LINES_MAX} lines, and Lua to ${LUA_LINES_MAX}`,
  check: perFile(
    (path) =>
      /^(?:src|scripts|sdk|console|examples|test)\//.test(path) &&
      !path.includes('/generated/') &&
      (isCode(path) || /\.(?:lua|css|html)$/.test(path)),
    (file) => {
      const most = file.path.endsWith('.lua') ? LUA_LINES_MAX : CODE_LINES_MAX;
      return lineCount(file.text) > most ? [`${lineCount(file.text)} lines`] : [];
    },
  ),
  broken: {
    'a source': { 'src/a.ts': 'x\n'.repeat(CODE_LINES_MAX + 1) },
    'a page of the console': { 'console/a.tsx': 'x\n'.repeat(CODE_LINES_MAX + 1) },
    'a Lua script': { 'scripts/lua/a.lua': 'x\n'.repeat(LUA_LINES_MAX + 1) },
  },
  kept: {
    'src/a.ts': 'x\n'.repeat(CODE_LINES_MAX),
    'scripts/lua/a.lua': 'x\n'.repeat(LUA_LINES_MAX),
    'sdk/src/generated/a.ts': 'x\n'.repeat(CODE_LINES_MAX + 1),
    'package-lock.json': 'x\n'.repeat(CODE_LINES_MAX + 1),
  },
};
