import path from 'node:path';
import type { ProjectFile, Rule } from './rule.js';

const INDEX = 'docs/README.md';
const isMarkdown = (file: string): boolean => file.endsWith('.md');

/** Samples and comments hold no links; the text around them keeps its lines. */
const prose = (text: string): string =>
  text.replace(/^```.*\n[\s\S]*?^```|<!--[\s\S]*?-->|`[^`\n]+`/gm, (part) => part.replace(/[^\n]/g, ' '));

/** Targets of links and images that lie in the project, without those of other hosts. */
function targetsOf({ text }: ProjectFile): readonly { readonly target: string; readonly line: number }[] {
  return [...prose(text).matchAll(/\]\(([^()\s]+)\)/g)]
    .map((match) => ({ target: match[1] ?? '', line: text.slice(0, match.index).split('\n').length }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** The anchors of a page as GitHub makes them: lower case, no punctuation, hyphens for blanks; repeated ones are numbered. */
function anchorsOf({ text }: ProjectFile): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, title = ''] of text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/** A link may lead to a file, to a folder that has files, or to the project itself. */
function isThere(files: readonly ProjectFile[], target: string): boolean {
  return target === '.' || files.some((file) => file.path === target || file.path.startsWith(`${target}/`));
}

function brokenIn(file: ProjectFile, files: readonly ProjectFile[]): readonly string[] {
  return targetsOf(file).flatMap(({ target, line }) => {
    const [to = '', anchor] = target.split('#');
    const place =
      to === '' ? file.path : path.posix.join(path.posix.dirname(file.path), to).replace(/\/$/, '');
    const page = files.find((other) => other.path === place);
    if (!isThere(files, place)) return [`${file.path}: line ${line}: no ${target}`];
    if (anchor === undefined || page === undefined || !isMarkdown(place)) return [];
    return anchorsOf(page).has(anchor)
      ? []
      : [`${file.path}: line ${line}: ${place} has no heading #${anchor}`];
  });
}

export const links: Rule = {
  says: 'has no link in its pages that leads nowhere',
  check: (files) => files.filter((file) => isMarkdown(file.path)).flatMap((file) => brokenIn(file, files)),
  broken: {
    'a page that is gone': { 'README.md': '[a](docs/a.md)' },
    'a page beside it that is gone': { 'docs/a.md': '# A\n[b](b.md)', 'b.md': '# B' },
    'a picture that is gone': { 'README.md': '![a](docs/a.png)' },
    'a heading that is gone': { 'README.md': '[a](docs/a.md#c-d)', 'docs/a.md': '# A\n\n## C\n' },
    'a heading of its own that is gone': { 'docs/a.md': '# A\n\n[b](#b)\n\n```sh\n# B\n```\n' },
  },
  kept: {
    'README.md':
      '# A\n[a](docs) [b](docs/a.md#c-d-of-e-1) [c](#a) [d](https://a.example/b)\n```sh\n[e](f)\n```\n`[g](h)`',
    'docs/a.md':
      '# A\n\n## C, `d` of (E)\n\n## C, `d` of (E)\n\n[top](../README.md) [rule](b.json)\n<!-- [i](j) -->',
    'docs/b.json': '{}',
  },
};

/** What an index lists, by the paths of the project. */
function listedBy(index: ProjectFile): ReadonlySet<string> {
  const folder = path.posix.dirname(index.path);
  return new Set(targetsOf(index).map(({ target }) => path.posix.join(folder, target.replace(/#.*/, ''))));
}

/** A folder may have an index of its own, which the one index lists: the reference of the API is made with one. */
function unlisted(files: readonly ProjectFile[]): readonly string[] {
  const index = files.find((file) => file.path === INDEX);
  if (index === undefined) return [`${INDEX}: is missing`];
  const listed = listedBy(index);
  const further = files
    .filter((file) => listed.has(file.path) && file.path.endsWith('/README.md'))
    .map(listedBy);
  return files
    .map((file) => file.path)
    .filter((file) => file.startsWith('docs/') && isMarkdown(file) && file !== INDEX && !listed.has(file))
    .filter((file) => !further.some((own) => own.has(file)))
    .map((file) => `${file}: ${INDEX} does not link to it`);
}

export const docsIndex: Rule = {
  says: 'lists every page of docs in docs/README.md',
  check: unlisted,
  broken: {
    'no index': { 'docs/a.md': '# A' },
    'a page that is not listed': { [INDEX]: '[a](a.md)', 'docs/a.md': '', 'docs/b/c.md': '' },
  },
  kept: {
    [INDEX]: '[a](a.md#b) [c](b/c.md) [d](d/README.md)',
    'docs/d/README.md': '[e](e.md)',
    'docs/d/e.md': '',
    'docs/a.md': '',
    'docs/b/c.md': '',
    'docs/d.json': '',
    'sdk/README.md': '',
  },
};
