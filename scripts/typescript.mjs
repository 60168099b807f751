/**
 * Lets Node run the project's TypeScript outside `src` as it stands: `node --import ./scripts/typescript.mjs file.ts`.
 * Node strips types but neither finds `x.ts` behind an import of `x.js`, nor knows decorators; so own files are found
 * by their real name, and what they import from `src` is taken from the build.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const SOURCES = new URL('../src/', import.meta.url).href;
const BUILD = new URL('../dist/', import.meta.url).href;

function realUrl(specifier, parentUrl) {
  const { href } = new URL(specifier, parentUrl);
  if (href.startsWith(SOURCES)) return BUILD + href.slice(SOURCES.length);
  const source = href.replace(/\.js$/, '.ts');
  return !existsSync(fileURLToPath(href)) && existsSync(fileURLToPath(source)) ? source : href;
}

registerHooks({
  resolve(specifier, context, nextResolve) {
    // Packages are left alone: what they require is found by paths, not by URLs.
    const isOwn = /^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts');
    return nextResolve(isOwn ? realUrl(specifier, context.parentURL) : specifier, context);
  },
});
