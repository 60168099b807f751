import path from 'node:path';
import type { ProjectFile } from './rule.js';

/** Strings are matched too, so that a comment's beginning inside one is not taken for a comment. */
const STRING_OR_COMMENT =
  /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<![:\\])\/\/[^\n]*/g;

/** The text without its comments; lines keep their numbers. */
export function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (part) =>
    part.startsWith('/') ? part.replace(/[^\n]/g, ' ') : part,
  );
}

const IMPORT =
  /\b(?:import|export)\s+(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;

/** What a file imports, as written; types count, because an arrow is an arrow. */
export function importsOf(file: ProjectFile): readonly string[] {
  return [...withoutComments(file.text).matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
}

/** The project's files that a file imports. */
export function localImportsOf(file: ProjectFile): readonly string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => path.posix.join(path.posix.dirname(file.path), specifier).replace(/\.js$/, '.ts'));
}

/** Every line, counted from 1, that the pattern matches. */
export function linesWith(text: string, pattern: RegExp): readonly number[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}
