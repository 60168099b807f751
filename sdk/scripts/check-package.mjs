/**
 * Checks the package as npm would publish it: publint and arethetypeswrong find nothing, applications of each platform
 * compile, and everything but the subscriptions stays below the size that README.md promises. Run it behind `npm run build`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemAffectsResolutionKind } from '@arethetypeswrong/core/problems';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { rolldown } from 'rolldown';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const COMPILER = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const manifest = JSON.parse(readFileSync(path.join(FOLDER, 'package.json'), 'utf8'));
const GZIP_BYTES_MAX = 12 * 1024;
/** The package is for ES modules, and for compilers that read `exports`. */
const RESOLUTIONS = ['node16-esm', 'bundler'];
const ENTRIES = Object.keys(manifest.exports).filter((name) => !name.endsWith('.json'));

const problems = [];

function packed() {
  const folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-sdk-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
      cwd: FOLDER,
    });
    return readFileSync(path.join(folder, readdirSync(folder)[0]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function checkTypes(tarball) {
  const checked = await checkPackage(createPackageFromTarballData(tarball), { entrypoints: ENTRIES });
  if (!checked.types) return void problems.push('arethetypeswrong: the package has no types');
  for (const problem of checked.problems)
    if (RESOLUTIONS.some((kind) => problemAffectsResolutionKind(problem, kind, checked)))
      problems.push(`arethetypeswrong: ${problem.kind} ${JSON.stringify(problem)}`);
}

async function checkManifest(tarball) {
  const { buffer, byteOffset, byteLength } = tarball;
  const files = { tarball: buffer.slice(byteOffset, byteOffset + byteLength) };
  const { messages, pkg } = await publint({ pack: files, strict: true });
  for (const message of messages) problems.push(`publint: ${formatMessage(message, pkg, { color: false })}`);
}

/** @param code what a page writes @returns how many bytes a browser loads for it */
async function sizeOf(code) {
  const page = {
    name: 'page',
    resolveId: (id) => (id === 'page' ? id : undefined),
    load: (id) => (id === 'page' ? code : undefined),
  };
  const bundle = await rolldown({
    input: 'page',
    cwd: FOLDER,
    platform: 'browser',
    plugins: [page],
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  return gzipSync(output[0].code, { level: 9 }).length;
}

/** As an application names an entry in its imports. */
const from = (name) => `'${path.posix.join(manifest.name, name)}'`;

async function checkSizes() {
  const withoutSockets = ENTRIES.filter((name) => name !== './subscriptions');
  const all = withoutSockets.map((name, at) => `export * as entry${at} from ${from(name)};`).join('\n');
  const sizes = {
    'all entries but subscriptions': await sizeOf(all),
    'createClient alone': await sizeOf(`export { createClient } from ${from('.')};`),
    'createClient and subscriptions': await sizeOf(
      `export { createClient } from ${from('.')};\nexport { createSubscriptions } from ${from('./subscriptions')};`,
    ),
    'an import of nothing': await sizeOf(`import ${from('.')};`),
  };
  for (const [what, bytes] of Object.entries(sizes)) console.log(`${what}: ${bytes} bytes (gzip)`);
  if (sizes['all entries but subscriptions'] > GZIP_BYTES_MAX)
    problems.push(`All entries but subscriptions take more than ${GZIP_BYTES_MAX} bytes.`);
  if (sizes['an import of nothing'] > gzipSync('').length)
    problems.push('Importing the package has a side effect.');
}

/** Applications compile, with the libraries that their platform has. */
function checkConsumers() {
  const strict = '--noEmit --ignoreConfig --strict --exactOptionalPropertyTypes --target es2022'.split(' ');
  const bundled = ['--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
  const consumers = {
    'browser.ts in a browser': [...bundled, '--lib', 'es2022,dom'],
    'browser.ts in Node': ['--module', 'nodenext', '--types', 'node', '--lib', 'es2022'],
    'mini.ts in a mini program': [...bundled, '--lib', 'es2022'],
  };
  for (const [name, options] of Object.entries(consumers)) {
    const file = path.join('consumers', name.split(' ')[0]);
    const { status, stdout } = spawnSync(process.execPath, [COMPILER, ...strict, ...options, file], {
      cwd: FOLDER,
      encoding: 'utf8',
    });
    if (status !== 0) problems.push(`${name} does not compile:\n${stdout}`);
  }
}

const tarball = packed();
checkConsumers();
await Promise.all([checkManifest(tarball), checkTypes(tarball), checkSizes()]);
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log('publint and arethetypeswrong find nothing.');
else process.exitCode = 1;
