import { setTimeout as pause } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { startProcess, type ProcessSettings, type RunningProcess } from './processes.js';
import { openWorld, PATIENT, seedUsers, type World } from './world.js';

/** Two API processes and a worker on the same stores, and a world beside them for seeding and for looking. */
export interface Cluster {
  /** Where the two API processes listen. */
  readonly urls: readonly [string, string];
  readonly apis: readonly [RunningProcess, RunningProcess];
  readonly worker: RunningProcess;
  readonly world: World;
  /** Starts a further API process, which its test has to end. */
  further(environment?: Readonly<Record<string, string>>): Promise<RunningProcess>;
  /** Stops everything; fails when a process has logged a warning or worse since it was up. */
  close(): Promise<void>;
}

export interface ClusterSettings {
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** What is done to the stores is worth a warning. */
  readonly mayComplain?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startCluster(settings: ClusterSettings = {}): Promise<Cluster> {
  const urls = {
    databaseUrl: settings.databaseUrl ?? inject('databaseUrl'),
    redisUrl: settings.redisUrl ?? inject('redisUrl'),
  };
  // Callers of these processes are answered as soon as in production.
  const { STORE_TIMEOUT_MS } = PATIENT;
  const start = async (role: 'api' | 'worker', more = {}): Promise<RunningProcess> =>
    startBundled({ role, ...urls, environment: { STORE_TIMEOUT_MS, ...settings.environment, ...more } });
  const [a, b, worker] = await Promise.all([start('api'), start('api'), start('worker')]);
  const world = await openWorld({}, urls);
  const complaints = complaintsOf([a, b, worker]);
  const close = async (): Promise<void> => {
    const found = settings.mayComplain === true ? [] : complaints();
    await world.close();
    await Promise.all([a, b, worker].map(stopped));
    expectNone(found);
  };
  return {
    urls: [a.url, b.url],
    apis: [a, b],
    worker,
    world,
    further: async (more) => start('api', more),
    close,
  };
}

let standing: Promise<Cluster> | null = null;

/**
 * One cluster for all files of this worker of the test runner that only ask its processes: they are started once, and
 * warm. It waits for commits and for its callers longer than any test, and ends with the worker. Closed by a file, it
 * fails when a process has ended, or has logged a warning or worse since that file began.
 */
export async function standingCluster(): Promise<Cluster> {
  standing ??= startCluster({ environment: { HELD_WAIT_MS: '20000', REPLY_WITHIN_MS: '14000' } });
  const cluster = await standing;
  const all = [...cluster.apis, cluster.worker];
  const complaints = complaintsOf(all);
  const close = async (): Promise<void> => {
    const gone = await Promise.race([...all.map(async ({ exited }) => exited), pause(0, null)]);
    if (gone !== null) standing = null;
    expect(gone, 'a process that has ended').toBeNull();
    expectNone(complaints());
  };
  return { ...cluster, close };
}

/** What these processes will have logged by the time that it is called. The start itself does not count. */
function complaintsOf(processes: readonly RunningProcess[]): () => readonly string[] {
  const lengths = processes.map(({ said }) => said().length);
  return () => processes.flatMap(({ said }, at) => said().slice(lengths[at]).split('\n').filter(isComplaint));
}

function expectNone(complaints: readonly string[]): void {
  if (complaints.length > 0) throw new Error(`Nothing here is worth a warning:\n${complaints.join('\n')}`);
}

/** Starts the bundled program: the same modules, faster loaded. */
export async function startBundled(settings: Omit<ProcessSettings, 'entry'>): Promise<RunningProcess> {
  return startProcess({ ...settings, entry: inject('program') });
}

/** A process that its test has killed needs no stop; one that ended unexpectedly fails here. */
async function stopped(process: RunningProcess): Promise<void> {
  const gone = await Promise.race([process.exited, pause(0, null)]);
  if (gone?.signal !== 'SIGKILL') await process.stop();
}

/** The processes log nothing below a warning, so every line of the log is one. */
function isComplaint(line: string): boolean {
  return line.startsWith('{');
}

export interface SignedUser {
  readonly tenantId: string;
  readonly userId: string;
  readonly token: string;
}

/** Many users at once, each with a token. */
export async function signedUsers(world: World, tenantId: string, count: number): Promise<SignedUser[]> {
  const { tokens } = world.services;
  const userIds = await seedUsers(world, tenantId, count);
  return userIds.map((userId) => ({
    tenantId,
    userId,
    token: tokens.sign({ kind: 'USER', tenantId, userId }, 900),
  }));
}

export async function signedUser(world: World, tenantId: string): Promise<SignedUser> {
  const [user] = await signedUsers(world, tenantId, 1);
  if (user === undefined) throw new Error('No user was made.');
  return user;
}

export function staffToken(world: World, tenantId: string): string {
  return world.services.tokens.sign({ kind: 'STAFF', tenantId, staffId: 'staff-1', role: 'OWNER' }, 900);
}
