import 'reflect-metadata';
import { failureOf } from './failures.js';
import { sayOnStderr } from './output.js';
import { createProgram } from './program.js';

// Writing to a reader that has gone fails at the writer; without a listener it would end the process on the spot.
process.stdout.on('error', () => undefined);

/** Runs one command. How it ended is the exit code of the process. */
export async function runCommand(args: readonly string[]): Promise<void> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const { line, stack, status } = failureOf(error);
    const isVerbose = program.opts().verbose === true;
    if (line !== null) sayOnStderr(isVerbose && stack !== null ? stack : line);
    process.exitCode = status;
  }
}
