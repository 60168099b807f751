import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What the examples import is the package as it is published. */
export function buildSdk(): void {
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'sdk/tsconfig.json'], { cwd: ROOT });
}

export interface Example {
  readonly url: string;
  kill(): Promise<void>;
}

/** Starts an example as its header says, and waits until it listens. */
export async function startExample(
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<Example> {
  const child: ChildProcess = spawn(process.execPath, [path.join(ROOT, 'examples', file)], {
    cwd: ROOT,
    env: { PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const found = /http:\/\/localhost:\d+/.exec(said)?.[0];
        if (found !== undefined) resolve(found);
      });
    void exited.then(() => reject(new Error(`${file} has ended:\n${said}`)));
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { url, kill };
}

/** Posts JSON as a client of the partner's server does. */
export async function post<Answer>(url: string, user: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'x-demo-user': user };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await reply.json()) as Answer;
}
