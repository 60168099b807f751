import { localImportsOf } from './code.js';
import { isSource, type ProjectFile, type Rule } from './rule.js';

/** Every cycle once: each file that is met again while its own imports are being followed. */
function findCycles(files: readonly ProjectFile[]): readonly string[] {
  const imports = new Map(
    files.filter((file) => isSource(file.path)).map((file) => [file.path, localImportsOf(file)]),
  );
  const finished = new Set<string>();
  const cycles: string[] = [];
  const follow = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
      return;
    }
    if (finished.has(file)) return;
    for (const next of imports.get(file) ?? []) follow(next, [...trail, file]);
    finished.add(file);
  };
  for (const file of imports.keys()) follow(file, []);
  return cycles;
}

export const cycles: Rule = {
  says: 'has no files that import each other in a circle',
  check: findCycles,
  broken: {
    'two files': { 'src/a.ts': `import './b.js';`, 'src/b.ts': `export { x } from './a.js';` },
    'three files and a type': {
      'src/a.ts': `import { b } from './b.js';`,
      'src/b.ts': `import { c } from './c.js';`,
      'src/c.ts': `import type { A } from './a.js';`,
    },
  },
  kept: {
    'src/a.ts': `import './b.js';\nimport './c.js';`,
    'src/b.ts': `import './c.js';`,
    'src/c.ts': `// import './a.js';`,
  },
};
