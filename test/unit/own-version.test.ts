import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OWN_VERSION } from '../../src/platform/own-version.js';

it('the program names the version of its package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(OWN_VERSION).toBe(version);
});
