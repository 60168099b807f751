/** A reason to stop that the reader can act on; it is printed without a stack. */
export class BootstrapError extends Error {}

/** Progress goes to stderr, so that the output of the command that follows stays clean. */
export function say(text) {
  process.stderr.write(`[bootstrap] ${text.replaceAll('\n', '\n            ')}\n`);
}
