import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';

const run = promisify(execFile);
/** Nothing that is waited for in a page takes so long, also on a busy machine: it ends what hangs. */
export const PAGE_WAIT_MS = 90_000;
const PACKAGE = path.resolve('node_modules/@sparticuz/chromium');
/** Unpacked once for each version, and used by all test runs of the checkout. */
const HOME = path.resolve('.data/browser');

/** Fonts of its own: a bare system has none, and then every text is 0 pixels wide. */
const fontsConf = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${path.join(folder, 'fonts')}</dir>
  <cachedir>${path.join(folder, 'font-cache')}</cachedir>
</fontconfig>
`;

/**
 * Starts the browser of the development packages, as an unprivileged user and without anything of the system. It is built
 * for Linux on x64; elsewhere TEST_BROWSER names an installed Chromium.
 */
export async function startBrowser(): Promise<Browser> {
  const args = ['--disable-gpu', '--disable-quic', '--font-render-hinting=none'];
  const { TEST_BROWSER } = process.env;
  if (TEST_BROWSER !== undefined && TEST_BROWSER !== '')
    return chromium.launch({ executablePath: TEST_BROWSER, args });
  const folder = await unpacked();
  return chromium.launch({
    executablePath: path.join(folder, 'chromium'),
    chromiumSandbox: false,
    args,
    env: {
      HOME: folder,
      TMPDIR: process.env['TMPDIR'] ?? '/tmp',
      LD_LIBRARY_PATH: path.join(folder, 'al2023', 'lib'),
      FONTCONFIG_FILE: path.join(folder, 'fonts.conf'),
    },
  });
}

/** Unpacks beside its place and renames, so that two runs at once do not see half of it. */
async function unpacked(): Promise<string> {
  const { version } = JSON.parse(readFileSync(path.join(PACKAGE, 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = path.join(HOME, version);
  if (existsSync(folder)) return folder;
  mkdirSync(HOME, { recursive: true });
  const made = mkdtempSync(path.join(HOME, 'new-'));
  // The package unpacks to the folder for temporary files, which is asked for in a process of its own.
  const script = `import { inflate } from '@sparticuz/chromium';
    const bin = ${JSON.stringify(`${PACKAGE}/bin/`)};
    await Promise.all(['chromium.br', 'al2023.tar.br', 'fonts.tar.br'].map((file) => inflate(bin + file)));`;
  await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, TMPDIR: made },
  });
  writeFileSync(path.join(made, 'fonts.conf'), fontsConf(folder));
  try {
    renameSync(made, folder);
  } catch {
    // Another run was faster.
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}
