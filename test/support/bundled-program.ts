import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown, type Plugin } from 'rolldown';

const BUILD = path.resolve(import.meta.dirname, '../../dist');

export interface BundledProgram {
  /** Started in the place of `dist/main.js`. */
  readonly entry: string;
  remove(): void;
}

/**
 * The build and its packages in a few files, for tests that start many processes: a process takes as long to find and
 * load 2,700 modules as for all the rest of its start. Tests of how the program is found, starts and stops run the build.
 */
export async function bundleProgram(): Promise<BundledProgram> {
  const dir = mkdtempSync(path.join(tmpdir(), 'redeemkit-bundle-'));
  const bundle = await rolldown({
    input: path.join(BUILD, 'main.js'),
    platform: 'node',
    plugins: [ownPlaces],
    logLevel: 'silent',
  });
  // The ORM knows entities by the names of their classes.
  // By another ending, Node would parse each file to see whether it is a module.
  const files = { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' };
  await bundle.write({ dir, format: 'esm', keepNames: true, ...files });
  await bundle.close();
  return {
    entry: path.join(dir, 'main.mjs'),
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The modules of the build find scripts, servers and packages from their own place. */
const ownPlaces: Plugin = {
  name: 'own places',
  transform: {
    filter: { code: 'import.meta.url' },
    handler: (code, id) =>
      id.startsWith(BUILD)
        ? code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
        : undefined,
  },
};
