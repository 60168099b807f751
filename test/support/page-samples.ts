import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One block of commands of a page, and the output that the page shows for it. */
export interface Sample {
  /** The line of the page at which it begins. */
  readonly line: number;
  readonly commands: string;
  /** What the next block shows, where that is no commands; `…` stands for any text. */
  readonly shown: string | null;
}

export interface SampleRun {
  readonly line: number;
  readonly said: string;
  readonly complained: string;
}

const BLOCK = /^```(\w*)\n([\s\S]*?)^```$/gm;
/** The program is started by the test itself, with the settings that the page gives. */
const STARTS = /^(?:(\w+=\S+ )*)npm start$/m;

/** The shell commands of a page in their order, without the start of the program. */
export function samplesOf(page: string): Sample[] {
  const text = readFileSync(page, 'utf8');
  const blocks = [...text.matchAll(BLOCK)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    language: match[1] ?? '',
    body: match[2] ?? '',
  }));
  return blocks.flatMap(({ line, language, body }, at) => {
    if (language !== 'sh' || STARTS.test(body)) return [];
    const next = blocks[at + 1];
    const isAnswer = next?.language === 'json' || next?.language === 'text';
    return [{ line, commands: body, shown: isAnswer ? next.body : null }];
  });
}

/** The settings with which a page starts the program. */
export function startSettingsOf(page: string): Record<string, string> {
  const [start = ''] = STARTS.exec(readFileSync(page, 'utf8')) ?? [];
  return Object.fromEntries(
    [...start.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

const MARK = '=== sample at line';

/** Runs samples one after another in one shell, as a reader pastes them, and stops at the first that fails. */
export async function runSamples(
  samples: readonly Sample[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<SampleRun[]> {
  const script = samples.map(
    ({ line, commands }) => `echo '${MARK} ${line}'; echo '${MARK} ${line}' >&2\n${commands}`,
  );
  // What a page starts in the background ends with its commands, however these end.
  const whole = ["trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", ...script].join('\n');
  const { stdout, stderr } = await run('bash', ['-ec', whole], {
    ...options,
    timeout: 150_000,
    maxBuffer: 16 * 1024 * 1024,
  }).catch((error: unknown) => {
    const { stdout: said, stderr: complained } = error as { stdout: string; stderr: string };
    throw new Error(`It failed after this output:\n${said}\n${complained}`);
  });
  const complaints = partsOf(stderr);
  return [...partsOf(stdout)].map(([line, said]) => ({ line, said, complained: complaints.get(line) ?? '' }));
}

function partsOf(output: string): ReadonlyMap<number, string> {
  const [, ...parts] = output.split(new RegExp(`^${MARK} `, 'm'));
  return new Map(
    parts.map((part) => [Number.parseInt(part, 10), part.slice(part.indexOf('\n') + 1).trim()] as const),
  );
}

/** Whether a run says what the page shows, and nothing else; `…` stands for any text within a line. */
export function isAsShown({ shown }: Sample, { said, complained }: SampleRun): boolean {
  if (shown === null) return complained === '';
  const pattern = linesOf(shown)
    .replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('…', '.*?');
  return new RegExp(`^${pattern}$`).test(linesOf(`${said}\n${complained}`));
}

/** Without blank lines; CSV has carriage returns. */
const linesOf = (text: string): string =>
  text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .join('\n');
