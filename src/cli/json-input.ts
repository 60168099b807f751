import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CliError } from './failures.js';

/** Reads a JSON file; `-` is standard input. */
export async function readJson(file: string): Promise<unknown> {
  const { source, name } = await readText(file);
  return parseJson(source, name);
}

/** Reads a file as it is, with what messages call it; `-` is standard input. */
export async function readText(file: string): Promise<{ readonly source: string; readonly name: string }> {
  return file === '-'
    ? { source: await text(process.stdin), name: 'standard input' }
    : { source: await contentOf(file), name: file };
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(
      code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code}).`,
      {
        cause: error,
      },
    );
  }
}

/** @throws CliError that names the line and the column of the first character at fault */
export function parseJson(source: string, name: string): unknown {
  // Editors on some systems begin a file with a mark that JSON does not know.
  const json = source.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const before = json.slice(0, positionOf(json, message)).split('\n');
    const problem = message.replace(/(?:, (?:\.\.\.)?".*| in JSON at position .*| of JSON input)$/s, '');
    const place = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
    throw new CliError(`${name} is not JSON: ${problem} at ${place}.`, { cause: error });
  }
}

/** Most of the engine's messages tell the position; that of an unexpected character does not. */
function positionOf(json: string, message: string): number {
  const told = /at position ([0-9]+)/.exec(message)?.[1];
  if (told !== undefined) return Number(told);
  if (!isUnexpectedCharacter(message)) return json.length;
  // The beginning of the text is at fault in the same way exactly when it holds that character.
  let [fine, faulty] = [0, json.length];
  while (faulty - fine > 1) {
    const middle = Math.floor((fine + faulty) / 2);
    if (failsAtCharacter(json.slice(0, middle))) faulty = middle;
    else fine = middle;
  }
  return faulty - 1;
}

const isUnexpectedCharacter = (message: string): boolean => message.startsWith('Unexpected token');

function failsAtCharacter(json: string): boolean {
  try {
    JSON.parse(json);
    return false;
  } catch (error) {
    return error instanceof Error && isUnexpectedCharacter(error.message);
  }
}
