import { existsSync, realpathSync, statSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { versionText } from './run.mjs';
import { BootstrapError } from './say.mjs';

/** The oldest Node the packages run on. */
const NODE_MINIMUM = [22, 17];

/** Whether a dotted version is at least the wanted numbers. */
export function isAtLeast(version, wanted) {
  const have = version.replace(/^v/, '').split('.').map(Number);
  for (const [index, number] of wanted.entries()) {
    const part = have[index] ?? 0;
    if (part !== number) return part > number;
  }
  return true;
}

const packagedNode = (root) => path.join(root, 'node_modules', '.bin', 'node');
const stampFile = (root) => path.join(root, 'node_modules', '.redeemkit-node');

/** Names one binary exactly, so that it is tried once and not at every start. */
function fingerprint(root) {
  const file = realpathSync(packagedNode(root));
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
}

export function nodeIsReady(root) {
  if (!existsSync(packagedNode(root))) return isAtLeast(process.versions.node, NODE_MINIMUM);
  return existsSync(stampFile(root)) && readFileSync(stampFile(root), 'utf8') === fingerprint(root);
}

/** The Node that builds and runs the project: the packaged one, else the one that runs this script. */
export async function ensureNode(root) {
  const file = packagedNode(root);
  if (!existsSync(file)) {
    if (isAtLeast(process.versions.node, NODE_MINIMUM)) return process.execPath;
    throw new BootstrapError(nodeMessage(`this is ${process.versions.node}`));
  }
  if (nodeIsReady(root)) return file;
  const version = versionText(file);
  if (version === undefined)
    throw new BootstrapError(nodeMessage(`${path.relative(root, file)} does not run on this system`));
  if (!isAtLeast(version, NODE_MINIMUM))
    throw new BootstrapError(nodeMessage(`${path.relative(root, file)} is ${version}`));
  writeFileSync(stampFile(root), fingerprint(root));
  return file;
}

export function nodeMessage(found) {
  return `Redeemkit runs on Node ${NODE_MINIMUM.join('.')} or newer, and ${found}.\nInstall Node 24 (https://nodejs.org), or use compose.yaml: docker compose up.`;
}
