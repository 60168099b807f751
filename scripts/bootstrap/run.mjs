import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Runs a program to its end. Answers {code, output}, where output is what it wrote on both channels.
 * `onLine` sees each line at once; `inherit` hands our stderr to the program instead.
 */
export function run(command, args, { cwd, env, onLine, inherit = false } = {}) {
  return new Promise((resolve) => {
    const stdio = inherit ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd, env, stdio });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text) => chunks.push(text));
      if (stream && onLine) forEachLine(stream, onLine);
    }
    child.once('error', (error) => resolve({ code: 127, output: `${chunks.join('')}${error.message}` }));
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 1, output: chunks.join('') + (signal ?? '') }),
    );
  });
}

function forEachLine(stream, onLine) {
  let rest = '';
  stream.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}

/** The last lines of a program's output, for the message that says why it failed. */
export function lastLines(output, count = 12) {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}

/** What a program says with --version, or undefined if it cannot run here. */
export function versionText(file, ldLibraryPath) {
  const env = ldLibraryPath ? { ...process.env, LD_LIBRARY_PATH: ldLibraryPath } : process.env;
  const result = spawnSync(file, ['--version'], { env, encoding: 'utf8', timeout: 20_000 });
  return result.status === 0 ? `${result.stdout}${result.stderr}`.trim() : undefined;
}

export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Missing and forbidden are the same answer here: it cannot be run.
    return false;
  }
}

/** The first executable of that name in the folders, or undefined. */
export function findExecutable(name, folders) {
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** PATH without the packages' own programs, and the folders of administrators' programs, which users' PATH lacks. */
export function programFolders(env) {
  const onPath = (env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const more = ['/usr/local/sbin', '/usr/sbin', '/usr/local/bin', '/usr/bin', '/sbin', '/opt/homebrew/bin'];
  const own = `${path.sep}node_modules${path.sep}`;
  return [...new Set([...onPath, ...more])].filter((folder) => !folder.includes(own));
}
