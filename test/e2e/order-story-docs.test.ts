import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startProcess, type RunningProcess } from '../support/processes.js';
import { placeDatabase } from '../support/test-servers.js';
import { PATIENT } from '../support/world.js';

const run = promisify(execFile);
const SECRET = 'payment'.repeat(6);

/** The shell samples of the page, unchanged; that of the start is what this test does. */
const samples = [...readFileSync('docs/orders.md', 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)]
  .map(([, text]) => text ?? '')
  .filter((text) => !text.includes('npm start'));
const [callback = '', ...story] = samples;

let folder = '';
let server: RunningProcess;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-orders-'));
  placeDatabase(inject('databaseTemplate'), path.join(folder, '.data'));
  const environment = {
    DATA_DIR: path.join(folder, '.data'),
    NODE_ENV: '',
    ...PATIENT,
    // Longer than the page says: each of its commands starts several processes, which a busy machine takes seconds for.
    ORDER_TIMEOUT_MINUTES: '0.25',
    PAYMENT_SECRET: SECRET,
  };
  server = await startProcess({ environment });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('the commands of docs/orders.md tell the whole story, and the callback pays', async () => {
  const recharge = `
echo
recharge=$(gql userToken 'mutation { placeOrder(input: {type: RECHARGE, amount: "5"}) { order { orderNo } } }' | pick placeOrder.order.orderNo)
TENANT=$(demo tenantId) URL=$(demo url) ORDER_NO=$recharge AMOUNT=5 PAYMENT_SECRET=${SECRET}
${callback}`;
  const { stdout, stderr } = await run('bash', ['-c', [...story, recharge].join('\n')], { cwd: folder });
  expect(stderr).toBe('');
  const answers = stdout
    .replaceAll('}{"', '}\n{"')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(JSON.stringify(answers)).not.toContain('"code"');
  const mine = answers.flatMap(({ data }) => {
    const { myBalances, myPoints } = (data ?? {}) as Record<
      string,
      { items: { balance: string }[]; balance: number }
    >;
    return myPoints === undefined ? [] : [[myBalances?.items[0]?.balance, myPoints.balance]];
  });
  expect(mine).toEqual([
    ['200', 1000],
    ['200', 0],
    ['200', 1000],
    ['0', 0],
  ]);
  expect(answers.at(-1)).toMatchObject({ outcome: 'ACCEPTED' });
});
