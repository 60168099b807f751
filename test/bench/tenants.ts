import { setTimeout as pause } from 'node:timers/promises';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import type { BenchParts } from './bench.js';
import { drainOutbox } from './database.js';
import { LoadProcess } from './load-process.js';
import type { LoadRequest } from './load-job.js';
import type { TenantsSize } from './options.js';
import type { ServerProcess } from './server-process.js';
import { median, rounded } from './statistics.js';
import { PRODUCT, Supply } from './supply.js';

export interface TenantsFigure {
  /** Throughput of many tenants over that of one, turn by turn. */
  readonly ratios: readonly number[];
  readonly unexpected: readonly string[];
}

interface Measured {
  readonly rps: number;
  readonly transactionsPer1000: number;
}

/** Tenants that are made ready at the same time. */
const OPENED_AT_ONCE = 4;
/** A server gives the same text of its metrics for a second. */
const METRICS_KEPT_MS = 1100;

/** The same connections redeem codes of many tenants in turn, and of one, by one process. */
export async function measureTenants(parts: BenchParts, size: TenantsSize): Promise<TenantsFigure> {
  const { world, options, say } = parts;
  const open = async (name: string): Promise<Supply> =>
    Supply.open(world, { scarce: 1, expired: 1 }, `MANY_${name}`);
  const one = [await open('ALONE')];
  const many: Supply[] = [];
  await eachOf(Array.from({ length: size.tenants }).keys(), OPENED_AT_ONCE, async (at) => {
    many[at] = await open(String(at));
  });
  const server = await world.startServer();
  const run = new Run(parts, server);
  const turns: { readonly many: Measured; readonly one: Measured }[] = [];
  try {
    for (const supplies of [many, one, many, one])
      await run.measure(supplies, Math.min(size.redemptions, options.size.warmUp));
    for (let turn = 0; turn < options.size.pairs; turn += 1)
      turns.push({
        many: await run.measure(many, size.redemptions),
        one: await run.measure(one, size.redemptions),
      });
  } finally {
    run.load.stop();
    await server.stop();
  }
  for (const [side, count] of [
    ['many', size.tenants],
    ['one', 1],
  ] as const) {
    const middle = (value: keyof Measured): number =>
      rounded(median(turns.map((turn) => turn[side][value])), 0);
    say(
      `  ${count} tenants: ${middle('rps')}/s, ${middle('transactionsPer1000')} transactions for 1,000 redemptions`,
    );
  }
  return { ratios: turns.map((turn) => turn.many.rps / turn.one.rps), unexpected: run.unexpected };
}

class Run {
  readonly unexpected: string[] = [];
  readonly load = new LoadProcess();
  private readonly parts: BenchParts;
  private readonly server: ServerProcess;

  constructor(parts: BenchParts, server: ServerProcess) {
    this.parts = parts;
    this.server = server;
  }

  async measure(supplies: readonly Supply[], redemptions: number): Promise<Measured> {
    const { world, options } = this.parts;
    const each = Math.ceil(redemptions / supplies.length);
    const ofTenants: LoadRequest[][] = [];
    for (const supply of supplies) ofTenants.push(await requestsOf(supply, each));
    // The next request is another tenant's.
    const requests = Array.from({ length: each }, (_, at) =>
      ofTenants.flatMap((own) => own[at] ?? []),
    ).flat();
    const before = await this.transactions();
    const { answers, elapsedMs } = await this.load.run({
      urls: [this.server.address],
      connections: options.connections,
      mutation: 'redeemCode',
      productCode: PRODUCT,
      requests,
      envelope: null,
    });
    for (const { tenantId } of supplies) await drainOutbox(world, tenantId);
    for (const { status, why } of answers)
      if (status !== 'COMMITTED') this.unexpected.push(`tenants: ${why ?? status}`);
    return {
      rps: (answers.length / elapsedMs) * 1000,
      transactionsPer1000: (((await this.transactions()) - before) / answers.length) * 1000,
    };
  }

  /** Those of redemptions, as the server counts them; consumers of events have others. */
  private async transactions(): Promise<number> {
    await pause(METRICS_KEPT_MS);
    const reply = await fetch(`${this.server.address}/metrics`);
    const [, count] = /^redemption_transactions_total (\d+)/m.exec(await reply.text()) ?? [];
    return Number(count);
  }
}

async function requestsOf(supply: Supply, count: number): Promise<LoadRequest[]> {
  const codes = await supply.takeCodes(count);
  const users = await supply.takeUsers(count);
  return users.map(({ token, ip }, at) => ({ token, code: codes[at] ?? '', idempotencyKey: null, ip }));
}
