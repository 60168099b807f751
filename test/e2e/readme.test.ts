import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { DemoFile } from '../../src/app/demo.js';
import { present } from '../../src/platform/assert.js';
import { findFreePort } from '../../src/platform/local-servers/loopback.js';
import { spawnTethered } from '../../src/platform/local-servers/tethered-process.js';
import { PAGE_WAIT_MS, startBrowser } from '../support/browser.js';
import { runSample } from '../support/graphiql.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { startProcess, type RunningProcess } from '../support/processes.js';
import { placeDatabase } from '../support/test-servers.js';
import { PATIENT } from '../support/world.js';

const run = promisify(execFile);

/** The shell sample of a page that has this word, unchanged. */
function sampleOf(page: string, word: string): string {
  const samples = [...readFileSync(page, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, text]) => text ?? '',
  );
  return present(
    samples.find((sample) => sample.includes(word)),
    `The sample with ${word}`,
  );
}

let folder = '';
let port = 0;
let server: RunningProcess;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-readme-'));
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  port = await findFreePort();
  placeDatabase(inject('databaseTemplate'), path.join(folder, '.data'));
  server = await start();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<RunningProcess> {
  const DATA_DIR = path.join(folder, '.data');
  const environment = { ...PATIENT, DATA_DIR, PORT: String(port), NODE_ENV: '' };
  return startProcess({ environment });
}

const demoFile = (): DemoFile =>
  JSON.parse(readFileSync(path.join(folder, '.data', 'demo.json'), 'utf8')) as DemoFile;

interface Redeemed {
  readonly redeemCode: {
    readonly status: string;
    readonly redemption: { readonly id: string } | null;
    readonly errors: readonly { readonly code: string }[];
  };
}

async function curl(): Promise<Redeemed['redeemCode']> {
  const { stdout } = await run('bash', ['-c', sampleOf('README.md', 'curl -s')], { cwd: folder });
  return (JSON.parse(stdout) as { data: Redeemed }).data.redeemCode;
}

/** Redeems the code at that place of the file; answers the redemption's id. */
async function redeem(index: number): Promise<string> {
  const demo = demoFile();
  const { data } = await graphqlRequest<Redeemed>(demo.url, {
    query:
      'mutation ($code: String!) { redeemCode(input: { code: $code }) { status redemption { id } errors { code } } }',
    variables: { code: demo.codes[index] ?? '' },
    token: demo.userToken,
    headers: { 'x-product-code': demo.productCode },
  });
  expect(data?.redeemCode.errors).toEqual([]);
  return data?.redeemCode.redemption?.id ?? '';
}

describe('X.15 the samples of the README and of docs/start.md, pasted unchanged', () => {
  it('X.15 redeem a code, and say the second time that it is redeemed', async () => {
    const first = await curl();
    expect(first).toMatchObject({ status: 'COMMITTED', errors: [] });
    expect(await curl()).toMatchObject({
      status: 'REFUSED',
      redemption: { id: first.redemption?.id },
      errors: [{ code: 'ALREADY_REDEEMED' }],
    });
  });

  it('S4.22: and that of docs/rest.md redeems another code without GraphQL', async () => {
    const sample = sampleOf('docs/rest.md', 'curl');
    const { stdout } = await run('bash', ['-c', sample], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'COMMITTED', errors: [] });
  });

  it('X.15 show each redemption once and in order, also those of a restart of the server', async () => {
    const live = spawnTethered('bash', ['-c', sampleOf('docs/start.md', 'graphql-ws')], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
      output: 'pipe',
    });
    let said = '';
    for (const stream of [live.stdout, live.stderr]) stream?.on('data', (part) => (said += String(part)));
    const shown = (): string[] => [...said.matchAll(/redemptionId: '(\d+)'/g)].map(([, id]) => id ?? '');
    try {
      const redeemed: string[] = [];
      // The first that it shows is the first after its subscription; from there on none may be missing.
      for (let index = 1; shown().length === 0; index += 1) {
        redeemed.push(await redeem(index));
        await pause(300);
      }
      await server.stop();
      server = await start();
      // Before the client has found the server again.
      for (const index of [1, 2]) redeemed.push(await redeem(index));
      // The longer the server was away, the longer the client waits between its attempts.
      const isShown = (): void => expect(shown().at(-1)).toBe(redeemed.at(-1));
      await vi.waitFor(isShown, { timeout: 90_000 });
      redeemed.push(await redeem(3));
      await vi.waitFor(isShown, { timeout: 30_000 });
      expect(shown()).toEqual(redeemed.slice(redeemed.indexOf(shown()[0] ?? '')));
    } catch (error) {
      throw new Error(`The sample said:\n${said}`, { cause: error });
    } finally {
      live.kill('SIGTERM');
    }
  });

  it('X.15 and in a browser one click redeems a code, which the console shows', async () => {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      page.setDefaultTimeout(PAGE_WAIT_MS);
      const shown = await runSample(page, demoFile().url);
      await shown.getByText('"COMMITTED"').waitFor();
      const answer = await shown.innerText();
      const [, orderNo = ''] = present(/"orderNo": "(\d+)"/.exec(answer), 'The number of the order');
      await page.goto(demoFile().consoleUrl);
      await page.getByRole('link', { name: 'Redemptions', exact: true }).click();
      await page.getByRole('row').nth(1).getByRole('link').first().click();
      await page.getByText(orderNo).first().waitFor();
      expect(page.url()).toContain(orderNo);
    } finally {
      await browser.close();
    }
  });
});
