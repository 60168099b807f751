import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import { standingCluster, type Cluster } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { ledgerOf, makeMoneyScene, USD, type MoneyScene } from '../support/money-world.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { holdRows } from '../support/row-lock.js';

const TRANSFER = `mutation ($input: TransferInput!) { transfer(input: $input) {
  transfer { id orderId amount fee net } errors { code } } }`;

interface Answer {
  readonly transfer: {
    readonly transfer: { readonly id: string; readonly orderId: string } | null;
    readonly errors: readonly { readonly code: string }[];
  };
}

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

interface Wish {
  readonly from: number;
  readonly to: number;
  readonly orderId: string;
}

/** The transfer's id, the code of its refusal, or null where the process did not answer. */
async function send(url: string, scene: MoneyScene, { from, to, orderId }: Wish): Promise<string | null> {
  const userId = scene.users[from] ?? '';
  const token = cluster.world.services.tokens.sign({ kind: 'USER', tenantId: scene.tenantId, userId }, 900);
  const input = {
    toUserId: scene.users[to] ?? '',
    facilityId: scene.facilityId,
    currency: USD,
    amount: '1',
    orderId,
  };
  try {
    const { data } = await graphqlRequest<Answer>(url, { token, query: TRANSFER, variables: { input } });
    return data?.transfer.transfer?.id ?? data?.transfer.errors[0]?.code ?? null;
  } catch {
    return null;
  }
}

async function makeScene(users: number): Promise<MoneyScene> {
  const scene = await makeMoneyScene(cluster.world, users, { feeRate: '0.1' });
  for (const user of scene.users) await scene.fund(user, '100');
  return scene;
}

async function expectSound(scene: MoneyScene): Promise<void> {
  const { tenantId } = scene;
  const report = await reconcilerOf(cluster.world).reconciler.run({ tenantId, repair: false });
  expect(driftsOf(report)).toEqual({});
  expect(await ledgerOf(scene)).toMatchObject({ sum: '0', faults: [] });
}

/** Where a transfer waits: a table whose rows it locks at that step, and how that statement goes on. */
const STEPS = [
  ['for the accounts', 'money_account', '%for update'],
  ['for the use of the day, with the accounts locked', 'transfer_day', '%for update'],
  ['for the number of its event, with everything written', 'outbox_counter', '%last_insert_id%'],
] as const;

describe('a process that is killed', () => {
  it.each(STEPS)(
    'S3.6 while a transfer waits %s leaves nothing of it, and another process makes it once',
    async (_what, table, rest) => {
      const scene = await makeScene(2);
      // So that there is a day and an event already.
      expect(await send(cluster.urls[0], scene, { from: 0, to: 1, orderId: 'first' })).toMatch(/^\d+$/);
      const before = await ledgerOf(scene);
      const victim = await cluster.further();
      const wish = { from: 0, to: 1, orderId: 'second' };
      const lock = `select * from ${table} where tenant_id = ? for update`;
      const letGo = await holdRows(cluster.world, scene.tenantId, lock);
      const answer = send(victim.url, scene, wish);
      await waits(scene, `%${table}%${scene.tenantId}${rest}`);
      await victim.kill();
      await letGo();
      expect(await answer).toBeNull();
      expect(await ledgerOf(scene)).toEqual(before);
      const made = await send(cluster.urls[1], scene, wish);
      expect(made).toMatch(/^\d+$/);
      expect(await send(cluster.urls[0], scene, wish)).toBe(made);
      expect(await ledgerOf(scene)).toMatchObject({ transfers: 2 });
      await expectSound(scene);
    },
  );

  it('S3.11 again and again among transfers makes each of them once, however often it is sent', async () => {
    const scene = await makeScene(4);
    const wishes = Array.from({ length: 300 }, (_, at) => ({
      from: at % 4,
      to: (at + 1 + (at % 3)) % 4,
      orderId: `o-${at}`,
    }));
    const known = new Map<string, string>();
    for (let kill = 0; kill < 3; kill += 1) {
      const victim = await cluster.further();
      let answered = 0;
      await eachOf(wishes, 16, async (wish) => {
        const id = await send(victim.url, scene, wish);
        if (id === null) return;
        answered += 1;
        // What was answered once is answered for ever.
        expect(known.get(wish.orderId) ?? id).toBe(id);
        known.set(wish.orderId, id);
        if (answered === 60 + 80 * kill) await victim.kill();
      });
    }
    const ids = new Map<string, string | null>();
    await eachOf(wishes, 16, async (wish) => {
      ids.set(wish.orderId, await send(cluster.urls[0], scene, wish));
    });
    expect([...ids.values()].every((id) => /^\d+$/.test(id ?? ''))).toBe(true);
    expect(new Set(ids.values()).size).toBe(300);
    for (const [orderId, id] of known) expect(ids.get(orderId)).toBe(id);
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 300, entries: 604, held: '370' });
    await expectSound(scene);
  });
});

/** Until a session of the server is at a statement like this one. */
async function waits({ sql }: MoneyScene, statement: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const found = await sql(
        `select id from information_schema.processlist where info like ? and info not like '%processlist%'`,
        [statement],
      );
      expect(found).toHaveLength(1);
    },
    { timeout: 60_000, interval: 10 },
  );
}
