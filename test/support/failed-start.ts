import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import path from 'node:path';
import { present } from '../../src/platform/assert.js';
import { spawnTethered } from '../../src/platform/local-servers/tethered-process.js';
import { COMPILED } from './processes.js';
import { TEST_SECRETS } from './world.js';

export interface FailedStart {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartCase {
  readonly environment: Readonly<Record<string, string>>;
  /** `--import` and the like. */
  readonly nodeArguments?: readonly string[];
  readonly entry?: 'main.js' | 'cli.js';
  /** As `npm run build` makes it; or another folder with the same layout. */
  readonly dist?: string;
  /** What is run in the place of an entry of the build: the bundle, which takes half the time to load. */
  readonly program?: string;
}

/** Runs the built program to its end; for starts that are meant to fail. */
export async function failedStart(start: StartCase): Promise<FailedStart> {
  const { environment, nodeArguments = [], entry = 'main.js', dist = path.resolve('dist') } = start;
  const program = start.program ?? path.join(dist, entry);
  const child = spawnTethered(process.execPath, [...nodeArguments, program], {
    output: 'pipe',
    env: {
      ...COMPILED,
      NODE_ENV: 'test',
      PORT: '0',
      JWT_SECRET: TEST_SECRETS.jwtSecret,
      CODE_PEPPER: TEST_SECRETS.codePepper,
      START_WAIT_MS: '0',
      ...environment,
    },
  });
  const [stdout, stderr] = [child.stdout, child.stderr].map(async (stream) =>
    text(present(stream, 'Its output')),
  );
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout: (await stdout) ?? '', stderr: (await stderr) ?? '' };
}
