import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inject, vi } from 'vitest';
import { runCommand } from '../../src/cli/run.js';
import { COMPILED } from './processes.js';
import { TEST_SECRETS } from './world.js';

/** The built command line, as `npx redeemkit` starts it. */
export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** One that hangs is not left behind. */
const RUN_MAX_MS = 120_000;

export interface CliResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Settings of commands that work on the stores of the tests. */
export const cliEnvironment = () => ({
  DATABASE_URL: inject('databaseUrl'),
  REDIS_URL: inject('redisUrl'),
  JWT_SECRET: TEST_SECRETS.jwtSecret,
  CODE_PEPPER: TEST_SECRETS.codePepper,
  STORE_TIMEOUT_MS: '5000',
});

/** Runs the built command line as a person would, in a clean environment. */
export async function runCli(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
  input = '',
): Promise<CliResult> {
  const env = { ...COMPILED, ...environment };
  const child = spawn(process.execPath, [CLI, ...args], { env, timeout: RUN_MAX_MS });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

/** The same in this process, in a tenth of the time: for what commands do and say, not for how a process ends. */
export async function callCli(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<CliResult> {
  const own = process.env;
  const stdout = captured(process.stdout);
  const stderr = captured(process.stderr);
  process.env = { ...environment };
  try {
    await runCommand(args);
    return { stdout: stdout.text(), stderr: stderr.text(), status: Number(process.exitCode ?? 0) };
  } finally {
    process.env = own;
    process.exitCode = undefined;
    stdout.release();
    stderr.release();
  }
}

function captured(stream: NodeJS.WriteStream): { text(): string; release(): void } {
  let said = '';
  const write = vi.spyOn(stream, 'write').mockImplementation((chunk, ...others) => {
    said += String(chunk);
    for (const written of others) if (typeof written === 'function') written();
    return true;
  });
  return { text: () => said, release: () => write.mockRestore() };
}

/** What a command printed, in one line; fails with its output where it did not succeed. */
export async function lineOf(running: Promise<CliResult>): Promise<string> {
  const { stdout, stderr, status } = await running;
  if (status !== 0 || stderr !== '') throw new Error(`The command ended with ${status}: ${stderr}`);
  return stdout.trimEnd();
}

/** The refusal of a command: one line and a status, and nothing on standard output. */
export async function refusalLineOf(
  running: Promise<CliResult>,
): Promise<{ line: string; status: number | null }> {
  const { stdout, stderr, status } = await running;
  if (stdout !== '' || !/^[^\n]+\n$/.test(stderr)) throw new Error(`Not a single line: ${stdout}${stderr}`);
  return { line: stderr.trimEnd(), status };
}
