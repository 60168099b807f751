import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.mjs';

const POLL_MS = 200;
const TAKEOVER_MAX_MS = 10_000;

/**
 * Runs `work` while no other process on this machine does so with the same file. The file names its owner, hence the
 * lock of a process that was killed does not block for ever.
 */
export async function withLock(file, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  const token = `${process.pid} ${startOf(process.pid)} ${randomBytes(6).toString('hex')}`;
  let waitedFor;
  while (!tryLock(file, token)) {
    const owner = readOrUndefined(file);
    if (owner === undefined) continue;
    const [pid, start] = owner.split(' ');
    if (startOf(Number(pid)) !== start) removeStale(file, owner);
    else {
      if (waitedFor !== pid) say(`Another bootstrap (process ${pid}) is at work; waiting for it.`);
      waitedFor = pid;
      await sleep(POLL_MS);
    }
  }
  try {
    return await work();
  } finally {
    unlinkSync(file);
  }
}

/** Makes the file with its content in one step: a hard link either appears whole or fails because one exists. */
function tryLock(file, token) {
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, token);
  try {
    return link(draft, file);
  } finally {
    unlinkSync(draft);
  }
}

/**
 * Two processes may find the same dead owner. The second link, named after that owner, lets one of them through; its
 * content is compared again, because the lock may have changed hands between the reading and the linking.
 */
function removeStale(file, owner) {
  const claim = `${file}.stale-${owner.replaceAll(' ', '-')}`;
  try {
    if (!link(file, claim)) {
      if (Date.now() - statSync(claim).ctimeMs > TAKEOVER_MAX_MS) rmSync(claim, { force: true });
      return;
    }
    if (readOrUndefined(claim) === owner) rmSync(file, { force: true });
    rmSync(claim, { force: true });
  } catch (error) {
    // The other process finished its takeover in between; the caller simply looks again.
    if (error.code !== 'ENOENT') throw error;
  }
}

function link(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readOrUndefined(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** When a process started, as text; a process id alone is not enough because ids are used again. */
function startOf(pid) {
  if (process.platform !== 'linux') return isAlive(pid) ? 'alive' : 'gone';
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'gone';
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
