import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { present } from '../../src/platform/assert.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { createLog } from '../../src/platform/observability/log.js';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import { scanKeys } from '../../src/platform/redis/redis-nodes.js';
import { Code } from '../../src/codes/code.entity.js';
import { measureBulkLoad } from './bulk-load.js';
import type { ServerProcess } from './server-process.js';
import { rounded } from './statistics.js';
import { PRODUCT, Supply, type BenchUser } from './supply.js';
import type { BenchWorld } from './world.js';

const TENANT = 'GENERATED';
const LOOK_EVERY_MS = 10;
/** What Redis holds of a code that was asked for lives a minute. */
const IDLE_AFTER_MS = 61_000;
const AT_ONCE = 32;
const log = createLog({ level: 'silent' });

export interface GenerationSize {
  /** Codes of the batch. */
  readonly codes: number;
  /** Of those, how many are redeemed. */
  readonly touched: number;
  /** Waits until the touched ones are idle; otherwise their bytes are those of before. */
  readonly untilIdle: boolean;
}

export interface GenerationFigures {
  /** From the call to READY ÷ LOAD DATA of the same rows. */
  readonly vsBulkLoad: number;
  readonly bytesPerUntouchedCode: number;
  readonly bytesPerIdleCode: number;
}

interface Parts {
  readonly world: BenchWorld;
  readonly say: (line: string) => void;
}

/** A batch is made by the worker of a server as a user has it, while that does nothing else. */
export async function measureGeneration(
  { world, say }: Parts,
  { codes, touched, untilIdle }: GenerationSize,
): Promise<GenerationFigures> {
  const supply = await Supply.open(world, { scarce: 1, expired: 1 }, TENANT);
  const server = await world.startServer();
  const mbBefore = await peakMb(server);
  const fromMs = performance.now();
  const batchId = await generate(world, supply, codes);
  const generatedMs = performance.now() - fromMs;
  const mb = (await peakMb(server)) - mbBefore;
  await server.stop();
  const bytesPerUntouchedCode = (await bytesOfCodes(world)) / codes;
  await touch(world, supply, batchId, touched);
  const touchedMs = performance.now();
  const bytesPerTouchedCode = (await bytesOfCodes(world)) / touched;
  const { loadDataMs, multiRowMs } = await measureBulkLoad(world, batchId);
  if (untilIdle) await pause(Math.max(0, touchedMs + IDLE_AFTER_MS - performance.now()));
  const bytesPerIdleCode = (await bytesOfCodes(world)) / touched;
  const perSecond = (ms: number): string => `${rounded((codes / ms) * 1000, 0)}/s`;
  say(
    `  ${codes} codes: generated ${perSecond(generatedMs)}, LOAD DATA ${perSecond(loadDataMs)}, multi-row inserts ${perSecond(multiRowMs)}`,
  );
  say(
    `  The server's peak of memory grew by ${rounded(mb, 0)} MB. Redis held ${rounded(bytesPerTouchedCode, 0)} bytes for each code just redeemed.`,
  );
  return { vsBulkLoad: generatedMs / loadDataMs, bytesPerUntouchedCode, bytesPerIdleCode };
}

/** Has a worker make a batch. @returns its id when it is READY */
export async function generate(world: BenchWorld, supply: Supply, count: number): Promise<string> {
  const { tenantId, campaignId } = supply;
  const { generation, codeReader } = world.services;
  const { batch } = await generation.generate(tenantId, { campaignId, count });
  for (;;) {
    const now = present(await codeReader.batch(tenantId, batch.id), 'The batch');
    if (now.status === 'READY') return batch.id;
    if (now.status !== 'PENDING' && now.status !== 'GENERATING')
      throw new Error(`The batch is ${now.status}.`);
    await pause(LOOK_EVERY_MS);
  }
}

/** The most memory that a process has had; NaN where the system does not tell. */
async function peakMb({ pid }: ServerProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Redeems codes, and asks for each once more: then Redis knows all that it ever knows of a code. */
async function touch(world: BenchWorld, supply: Supply, batchId: string, count: number): Promise<void> {
  const em = tenantEm(world.stores.orm, TENANT);
  const rows = await em.find(Code, { batchId }, { limit: count, fields: ['codeText'] });
  const users = await supply.takeUsers(2 * rows.length);
  const wishes = rows.map(({ codeText }, at) => ({
    code: codeText ?? '',
    users: users.slice(2 * at, 2 * at + 2),
  }));
  await eachOf(wishes, AT_ONCE, async ({ code, users: [first, second] }) => {
    await redeem(world, first, code, null);
    await redeem(world, second, code, 'CODE_EXHAUSTED');
  });
}

async function redeem(
  { services }: BenchWorld,
  user: BenchUser | undefined,
  code: string,
  expected: string | null,
): Promise<void> {
  const { id: userId } = present(user, 'A user');
  const request = { tenantId: TENANT, userId, code, productCode: PRODUCT };
  const none = { deviceId: null, idempotencyKey: null, headerKey: null };
  const { refusal } = await services.redemptions.redeem({ ...request, ...none }, { log });
  if ((refusal?.code ?? null) !== expected)
    throw new Error(`A code was answered ${refusal?.code ?? 'COMMITTED'}.`);
}

/** All that Redis holds of the tenant, except what it holds of users whatever they ask for: attempts and subscriptions. */
async function bytesOfCodes({ stores: { redis } }: BenchWorld): Promise<number> {
  let bytes = 0;
  for await (const keys of scanKeys(redis, `{${TENANT}}:*`, 1000))
    for (const key of keys.filter((each) => !/^\{\w+\}:(?:rate|subs):/.test(each)))
      bytes += (await redis.memory('USAGE', key)) ?? 0;
  return bytes;
}
