import { readdirSync, readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTransport, type TransportServer } from '../support/transport-server.js';

const FOLDER = 'console/dist/assets';
/** The page with all that it loads before it shows a list. */
const FIRST_LOAD_BYTES_MAX = 350 * 1024;

let server: TransportServer;
beforeAll(async () => {
  server = await startTransport();
});
afterAll(async () => server?.close());

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, { headers: { 'accept-encoding': 'identity', ...headers } });

const filesOf = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');

describe('X.26 the pages of the console', () => {
  it('X.26 are one page for all paths, that is asked for again each time and has a nonce of its own', async () => {
    const nonces = new Set<string>();
    for (const path of ['/console', '/console/', '/console/campaigns/7?size=50']) {
      const reply = await get(path);
      const html = await reply.text();
      expect([path, reply.status, reply.headers.get('cache-control')]).toEqual([path, 200, 'no-cache']);
      const policy = reply.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w+/=]+';/);
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(html).not.toMatch(/<script(?![^>]* src=)|<style| on\w+=|https?:\/\/|__\w+__/);
      nonces.add(/'nonce-([^']+)'/.exec(policy)?.[1] ?? '');
      expect(html).toContain([...nonces].at(-1));
    }
    expect(nonces.size).toBe(3);
  });

  it('X.26 load files that a browser keeps, compressed as it asks', async () => {
    const files = filesOf(await (await get('/console/')).text());
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const reply = await get(file);
      expect([file, reply.status]).toEqual([file, 200]);
      expect(reply.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    }
    const script = files.find((file) => file.endsWith('.js')) ?? '';
    for (const encoding of ['br', 'gzip'])
      expect((await get(script, { 'accept-encoding': encoding })).headers.get('content-encoding')).toBe(
        encoding,
      );
  });

  it('X.26 are not served in the place of a file that is gone, nor anything beside them', async () => {
    for (const path of [
      '/console/assets/gone-1234.js',
      '/console/assets/',
      '/console/assets/..%2findex.html',
    ])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    const above = await get('/console/assets/..%2f..%2fpackage.json');
    expect(await above.text()).not.toContain('devDependencies');
  });

  it('X.26 have all files in both compressions, which hold the same', () => {
    const scripts = readdirSync(FOLDER).filter((file) => file.endsWith('.js.br'));
    expect(scripts.length).toBeGreaterThan(5);
    for (const file of scripts.map((each) => `${FOLDER}/${each.slice(0, -3)}`)) {
      const text = readFileSync(file);
      expect(brotliDecompressSync(readFileSync(`${file}.br`)).equals(text)).toBe(true);
      expect(gunzipSync(readFileSync(`${file}.gz`)).equals(text)).toBe(true);
    }
  });

  it('X.26 take less than 350 KB at the first load, whatever page it is', async () => {
    const files = filesOf(await (await get('/console/')).text()).map((file) => file.split('/').at(-1) ?? '');
    const sizeOf = (file: string): number => {
      const found = readdirSync(FOLDER).find((each) => each === `${file}.br`) ?? file;
      return readFileSync(`${FOLDER}/${found}`).length;
    };
    expect(files.reduce((sum, file) => sum + sizeOf(file), 0)).toBeLessThan(FIRST_LOAD_BYTES_MAX);
  });
});
