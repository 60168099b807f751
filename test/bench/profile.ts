import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const LINES = 20;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions in which the server spent most time, for each kind of round; callees are not counted in. */
export async function profileSummary(dir: string): Promise<string> {
  const files = (await readdir(dir)).toSorted();
  const lines = [`The profiles are in ${dir}, for the developer tools of a browser.`];
  for (const [kind, own] of Map.groupBy(files, (file) => file.replace(/-[0-9]+\.cpuprofile$/, ''))) {
    const selfUs = new Map<string, number>();
    for (const file of own)
      addSelfTimes(JSON.parse(await readFile(path.join(dir, file), 'utf8')) as CpuProfile, selfUs);
    const totalUs = [...selfUs.values()].reduce((sum, value) => sum + value, 0);
    const top = [...selfUs].toSorted(([, a], [, b]) => b - a).slice(0, LINES);
    lines.push(
      '',
      kind,
      ...top.map(([name, us]) => `  ${((us / totalUs) * 100).toFixed(1).padStart(5)} %  ${name}`),
    );
  }
  return lines.join('\n');
}

function addSelfTimes({ nodes, samples, timeDeltas }: CpuProfile, selfUs: Map<string, number>): void {
  const names = new Map(nodes.map((node) => [node.id, nameOf(node.callFrame)]));
  for (const [at, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    // The profiler's own.
    if (name.includes('node:inspector')) continue;
    selfUs.set(name, (selfUs.get(name) ?? 0) + (timeDeltas[at] ?? 0));
  }
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^.*\/(node_modules|dist)\//, '');
  return file === '' ? functionName : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}
