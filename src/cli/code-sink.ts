import { open, rm, type FileHandle } from 'node:fs/promises';
import { CliError } from './failures.js';
import { print } from './output.js';

/** Where fresh codes go. */
export interface CodeSink {
  /** Whether a person watches them go by. */
  readonly isTerminal: boolean;
  write(codes: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** A new file, or standard output. */
export async function openCodeSink(file: string | undefined): Promise<CodeSink> {
  if (file === undefined) {
    const write = async (codes: readonly string[]): Promise<void> => print(linesOf(codes));
    return { isTerminal: process.stdout.isTTY, write, close: async () => undefined };
  }
  const handle = await openNew(file);
  let isEmpty = true;
  return {
    isTerminal: false,
    write: async (codes) => {
      isEmpty = false;
      await handle.appendFile(linesOf(codes));
      // Codes of a campaign that keeps digests only exist nowhere else.
      await handle.sync();
    },
    close: async () => {
      await handle.close();
      if (isEmpty) await rm(file, { force: true });
    },
  };
}

/** A file that exists is left alone: it may hold codes that are nowhere else. */
export async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === 'EEXIST' ? 'exists already, and is not overwritten' : `cannot be written (${code})`;
    throw new CliError(`${file} ${problem}.`, { cause: error });
  }
}

function linesOf(codes: readonly string[]): string {
  return `${codes.join('\n')}\n`;
}
