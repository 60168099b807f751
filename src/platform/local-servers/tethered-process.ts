import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** Ends the process group $1 unless a line comes first: the input ends when the process at its other end does. */
const WATCH = 'trap "" TERM; read -r _ || { kill -TERM -"$1"; kill -CONT -"$1"; }';
/** Becomes the program, so that pid, exit code and signals are the program's own, and leaves the watch behind as an orphan. */
const LAUNCH =
  'exec 3<&0 </dev/null; (/bin/sh -c "$0" redeemkit-watch "$$" <&3 3<&- >/dev/null 2>&1 &) && exec "$@" 3<&-';

/**
 * Runs a program in a session of its own that ends when this process ends, however that happens: a SIGKILL runs no
 * handler, but it closes the pipe that a small shell beside the program waits on.
 */
export function spawnTethered(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'env' | 'cwd'> & { readonly output: number | 'ignore' | 'pipe' },
): ChildProcess {
  const { output, ...others } = options;
  const child = spawn('/bin/sh', ['-c', LAUNCH, WATCH, command, ...args], {
    ...others,
    // Keeps the terminal's Ctrl-C away: the application drains first and then stops its servers.
    detached: true,
    stdio: ['pipe', output, output],
  });
  child.stdin?.on('error', () => undefined);
  child.once('exit', () => child.stdin?.end('\n'));
  return child;
}
