import { describe, expect, it } from 'vitest';
import { createClient, type ClientOptions, type FetchLike, type RedeemResult } from '../../sdk/src/index.js';
import { createSubscriptions, type RedemptionSettledEvent } from '../../sdk/src/subscriptions.js';
import { signedUser, signedUsers, staffToken, startCluster, type Cluster } from '../support/cluster.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { startOwnStores } from '../support/own-stores.js';
import type { RunningProcess } from '../support/processes.js';
import { inParallel, type Redeemed } from '../support/redeemers.js';
import { holdCodes } from '../support/row-lock.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { expectExactly } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

const CODES = 200;
const USERS = 20;
/** How many redemptions are done when a server is killed, or all connections are cut. */
const KILLS = new Set([20, 60, 100, 140]);
const CUTS = new Set([40, 80, 120]);
const PATIENT = { firstPauseMs: 50, maxPauseMs: 1000, deadlineMs: 150_000 };

let cluster: Cluster;
let line: TcpForwarder;
openBeforeAll(async (closing) => {
  const stores = await closing(startOwnStores());
  const environment = { CLAIM_DEADLINE_MS: '5000', SWEEP_EVERY_MS: '500' };
  cluster = await closing(startCluster({ ...stores, mayComplain: true, environment }));
  line = await closing(TcpForwarder.start(portOf(cluster.apis[0])));
});

const portOf = ({ url }: RunningProcess): number => Number(new URL(url).port);

/** One server stands behind the line. Killed, it is replaced by the next, and a further one is started. */
class Servers {
  readonly killed: RunningProcess[] = [];
  private current: RunningProcess;
  private next: Promise<RunningProcess>;

  constructor([first, second]: readonly [RunningProcess, RunningProcess]) {
    this.current = first;
    this.next = Promise.resolve(second);
  }

  async kill(): Promise<void> {
    const victim = this.current;
    const dead = victim.kill();
    this.killed.push(victim);
    this.current = await this.next;
    this.next = cluster.further();
    await dead;
    line.pointAt(portOf(this.current));
  }

  /** Those that were started here and live. */
  async stop(): Promise<void> {
    const own = [this.current, await this.next].filter((server) => !cluster.apis.includes(server));
    await Promise.all(own.map(async (server) => server.stop()));
  }
}

/** What the test wants of an answer. */
function answerOf(result: RedeemResult, code: string): Redeemed {
  const redemption = result.status === 'COMMITTED' ? result.redemption : null;
  return {
    wish: { code, user: { tenantId: '', userId: '', token: '' }, key: result.idempotencyKey },
    outcome: result.status === 'REFUSED' ? result.code : result.status,
    retryAfterMs: 0,
    redemption: redemption && { ...redemption, useNo: redemption.useNo ?? 0 },
    orderNo: null,
  };
}

describe('the SDK', () => {
  it('X.25 waits for a redemption that the server has deferred, by its event where it listens, and names it the same when it is asked again', async () => {
    const { world } = cluster;
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 3);
    const { token } = await signedUser(world, tenant.tenantId);
    const url = `http://127.0.0.1:${line.port}`;
    const connection = { url, productCode: 'DEMO', env: 'app', retry: PATIENT, token } as const;
    const clientTelling = (told: string[], more: Partial<ClientOptions> = {}) =>
      createClient({
        ...connection,
        fetch: async (...call) => {
          const reply = await fetch(...call);
          told.push(/"(PROCESSING|COMMITTED)"/.exec(await reply.clone().text())?.[1] ?? '');
          return reply;
        },
        ...more,
      });
    const told: string[] = [];
    const client = clientTelling(told);
    const toListener: string[] = [];
    const subscriptions = createSubscriptions(connection);
    // It asks by itself once a minute, which is too late for this test.
    const retry = { ...PATIENT, maxPauseMs: 60_000 };
    const listener = clientTelling(toListener, { subscriptions, retry });
    const [patient = '', hasty = '', heard = ''] = codes;
    const letGo = await holdCodes(world, tenant.tenantId);
    const asked = [client.redeemCode(patient), listener.redeemCode(heard)];
    const first = await client.redeemCode(hasty, { deadlineMs: 4000 });
    await expect.poll(() => told.filter((status) => status === 'PROCESSING').length).toBeGreaterThan(2);
    // The second time because its stream has begun.
    await expect.poll(() => toListener).toEqual(['PROCESSING', 'PROCESSING']);
    await letGo();
    if (first.status !== 'PROCESSING') throw new Error(`It was ${first.status}.`);
    expect(first.orderNo).toMatch(/^\d+$/);
    const [settled, listened] = await Promise.all(asked);
    expect(toListener).toEqual(['PROCESSING', 'PROCESSING', 'COMMITTED']);
    const second = await client.redeemCode(hasty);
    const { idempotencyKey, orderNo } = first;
    expect(second).toMatchObject({ status: 'COMMITTED', idempotencyKey, orderNo });
    const answers = [settled, second, listened].map((result, at) =>
      answerOf(result ?? second, codes[at] ?? ''),
    );
    await expectExactly(world, tenant.tenantId, 3, answers);
  });

  it('X.25 redeems exactly once while servers are killed under it, and its subscription misses and repeats nothing', async () => {
    const { world } = cluster;
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, CODES);
    const users = await signedUsers(world, tenant.tenantId, USERS);
    const url = `http://127.0.0.1:${line.port}`;

    let broken = 0;
    const fetchCounting: FetchLike = async (...call) =>
      fetch(...call).catch((error: unknown) => {
        broken += 1;
        throw error;
      });
    const connection = { url, productCode: 'DEMO', env: 'app', retry: PATIENT } as const;
    const clients = users.map(({ token }) => createClient({ ...connection, token, fetch: fetchCounting }));
    const events: RedemptionSettledEvent[] = [];
    const waits: unknown[] = [];
    const subscriptions = createSubscriptions({ ...connection, token: staffToken(world, tenant.tenantId) });
    const stream = subscriptions.onRedemptionSettled({
      after: '0',
      onEvent: (event) => events.push(event),
      onState: (state, error) => state === 'WAITING' && waits.push(error),
    });

    const servers = new Servers(cluster.apis);
    let done = 0;
    let kills: Promise<void> = Promise.resolve();
    const answers = await inParallel(codes, async (code, index) => {
      const result = await clients[index % USERS]?.redeemCode(code);
      if (result === undefined) throw new Error('There is no such client.');
      done += 1;
      if (KILLS.has(done)) kills = kills.then(async () => servers.kill());
      if (CUTS.has(done)) line.cut();
      return answerOf(result, code);
    });
    await kills;

    expect(servers.killed).toHaveLength(KILLS.size);
    expect(broken, 'requests that broke').toBeGreaterThan(KILLS.size);
    const { events: written } = await expectExactly(world, tenant.tenantId, CODES, answers);
    const settled = written
      .filter(({ type }) => type === 'redemption_settled')
      .toSorted((one, other) => one.seq - other.seq)
      .map(({ payload }) => String(payload['redemptionId']));
    await expect.poll(() => events.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(settled.length);
    expect(events.map(({ redemptionId }) => redemptionId)).toEqual(settled);
    expect(waits.length, 'connections of the subscription that broke').toBeGreaterThan(0);
    subscriptions.close();
    await stream.closed;
    await servers.stop();
  }, 300_000);
});
