/** The same as in `scripts/bootstrap/node.mjs`; a test compares them. */
export const NODE_MINIMUM = [22, 17] as const;

/**
 * Ends the process with a message where Node is too old. The entries import nothing else before they call it: the rest
 * of the program does not even parse there.
 */
export function requireNode(): void {
  const [wantedMajor, wantedMinor] = NODE_MINIMUM;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  process.stderr.write(
    `Redeemkit runs on Node ${NODE_MINIMUM.join('.')} or newer, and this is ${process.versions.node}. ` +
      'Start it with npm start, which brings its own Node, or install Node 24 (https://nodejs.org).\n',
  );
  process.exit(1);
}
