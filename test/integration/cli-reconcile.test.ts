import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entriesOf } from '../support/audit.js';
import { callCli, cliEnvironment, refusalLineOf } from '../support/cli.js';
import { makeScene, type Scene } from '../support/reconciliation.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
let environment: Record<string, string>;
beforeAll(async () => {
  world = await openWorld();
  environment = cliEnvironment();
});
afterAll(async () => world?.close());

const cli = async (command: string, { tenantId }: Scene, ...options: string[]) =>
  callCli(environment, [command, '--tenant', tenantId, ...options]);

/** One drift that a repair mends, and one that it does not. */
async function plantBoth(scene: Scene): Promise<void> {
  await scene.sql('delete from `order` where tenant_id = ? and id = ?', [
    scene.tenantId,
    scene.redemptions[0].id,
  ]);
  await world.stores.redis.hset(scene.key(`code:${scene.codes[1].codeDigest}`), 'used', '2');
}

interface ShownReport {
  readonly verdict: string;
  readonly tenantId: string;
  readonly invariants: readonly unknown[];
  readonly checks: readonly { readonly kind: string; readonly count: number; readonly repaired: number }[];
}

describe('X.2 the command reconcile', () => {
  it('ends with 0 and a line for each invariant where everything agrees', async () => {
    const scene = await makeScene(world);
    const { stdout, stderr, status } = await cli('reconcile', scene);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain(`Reconciliation of ${scene.tenantId}, `);
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9]) expect(stdout).toContain(`\nI${number}  holds `);
    expect(stdout).toMatch(/\nCLEAN: everything agrees\.\n$/);
  });

  it('ends with 1, names each drift, and says what it means and what to do', async () => {
    const scene = await makeScene(world);
    await plantBoth(scene);
    const { stdout, stderr, status } = await cli('reconcile', scene);
    expect({ stderr, status }).toEqual({ stderr: '', status: 1 });
    expect(stdout).toContain('\nREDEMPTION_WITHOUT_ORDER (I2, database): 1\n  A redemption was committed, ');
    expect(stdout).toContain(
      `\n  - ${scene.tenantId} ${scene.redemptions[0].id}: status COMMITTED, orderStatus none\n`,
    );
    expect(stdout).toContain('\nCOPY_DIFFERS (I3, Redis): 1\n');
    expect(stdout.match(/\n {2}What to do: /g)).toHaveLength(2);
    expect(stdout).toMatch(/\nI2 {2}BROKEN /);
    expect(stdout).toMatch(/\nDRIFT: 2 drifts of 2 kinds\.\n$/);
    for (const text of [...scene.texts, scene.idleText]) expect(stdout).not.toContain(text);
  });

  it('mends what Redis holds with --repair, and leaves what the database holds', async () => {
    const scene = await makeScene(world);
    await plantBoth(scene);
    const mended = await cli('reconcile', scene, '--repair', '--json');
    expect(mended.status).toBe(1);
    const report = JSON.parse(mended.stdout) as ShownReport;
    expect(report).toMatchObject({ verdict: 'DRIFT', tenantId: scene.tenantId });
    expect(report.invariants).toHaveLength(9);
    const found = report.checks.filter(({ count }) => count > 0);
    expect(found.map(({ kind, count, repaired }) => ({ kind, count, repaired }))).toEqual([
      { kind: 'REDEMPTION_WITHOUT_ORDER', count: 1, repaired: 0 },
      { kind: 'COPY_DIFFERS', count: 1, repaired: 1 },
    ]);
    const again = await cli('reconcile', scene);
    expect(again.stdout).toMatch(/\nDRIFT: 1 drift of 1 kind\.\n$/);
    const entries = await entriesOf(world, scene.tenantId);
    expect(entries.map(({ operation, actorKind, targetId }) => [operation, actorKind, targetId])).toEqual([
      ['cli reconcile', 'OPERATOR', scene.tenantId],
    ]);
  });

  it('ends with 0 where everything was mended', async () => {
    const scene = await makeScene(world);
    await world.stores.redis.hset(scene.key(`code:${scene.codes[1].codeDigest}`), 'used', '2');
    const mended = await cli('reconcile', scene, '--repair');
    expect(mended.status).toBe(0);
    expect(mended.stdout).toMatch(/\nCLEAN: 1 drift found and mended\.\n$/);
  });

  it('ends with 2 and one line where it cannot look', async () => {
    const unknown = callCli(environment, ['reconcile', '--tenant', 'T_NOBODY']);
    expect(await refusalLineOf(unknown)).toEqual({
      status: 2,
      line: expect.stringMatching(/^TENANT_NOT_FOUND: There is no tenant "T_NOBODY"\. /) as string,
    });
    const away = { ...environment, REDIS_URL: 'redis://127.0.0.1:1', START_WAIT_MS: '0' };
    expect(await refusalLineOf(callCli(away, ['reconcile']))).toEqual({
      status: 2,
      line: 'At 127.0.0.1:1 Redis does not answer: start it, or correct REDIS_URL.',
    });
  });
});

describe('S4.15 the command compensate', () => {
  it('settles and mends once, and has nothing to do the second time', async () => {
    const scene = await makeScene(world);
    await world.stores.redis.hset(scene.key(`code:${scene.codes[1].codeDigest}`), 'used', '2');
    expect(await cli('compensate', scene)).toEqual({
      stdout: 'Mended 1 COPY_DIFFERS.\n',
      stderr: '',
      status: 0,
    });
    expect(await cli('compensate', scene)).toEqual({
      stdout: 'Nothing to do: 0 settled, 0 mended.\n',
      stderr: '',
      status: 0,
    });
  });
});
