import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

/** The binary of the optional package for this system. */
const packagedNode = (root) =>
  path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
/** npm puts this folder first in the PATH of every script. */
const nodeOnPath = (root) => path.join(root, 'node_modules', '.bin', 'node');
const stampFile = (root) => path.join(root, 'node_modules', '.redeemkit-node');

/** Names one binary exactly, so that it is tried once and not at every start. */
function fingerprint(root) {
  const { size, mtimeMs } = statSync(packagedNode(root));
  return `${packagedNode(root)} ${size} ${mtimeMs}`;
}

const isLinked = (root) =>
  existsSync(nodeOnPath(root)) && realpathSync(nodeOnPath(root)) === realpathSync(packagedNode(root));

export function nodeIsReady(root) {
  if (!existsSync(packagedNode(root))) return isAtLeast(process.versions.node, NODE_MINIMUM);
  return (
    existsSync(stampFile(root)) &&
    readFileSync(stampFile(root), 'utf8') === fingerprint(root) &&
    isLinked(root)
  );
}

/**
 * The Node that builds and runs the project: the packaged one, else the one that runs this script. The packaged one is
 * put in the PATH of the npm scripts, because npm 10 does not do so.
 */
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
  if (!isLinked(root)) linkNode(root);
  writeFileSync(stampFile(root), fingerprint(root));
  return file;
}

/** The Node for the built program, without making anything: the one that runs this script, else the packaged one. */
export function findNode(root) {
  if (isAtLeast(process.versions.node, NODE_MINIMUM)) return process.execPath;
  if (existsSync(packagedNode(root))) return packagedNode(root);
  throw new BootstrapError(nodeMessage(`this is ${process.versions.node}`));
}

/** By one rename: other scripts may be starting. */
function linkNode(root) {
  const link = nodeOnPath(root);
  const draft = `${link}.${process.pid}`;
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync(path.relative(path.dirname(link), packagedNode(root)), draft);
  renameSync(draft, link);
}

export function nodeMessage(found) {
  return `Redeemkit runs on Node ${NODE_MINIMUM.join('.')} or newer, and ${found}.\nInstall Node 24 (https://nodejs.org), or use compose.yaml: docker compose up.`;
}
