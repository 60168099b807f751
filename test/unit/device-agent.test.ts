import { describe, expect, it } from 'vitest';
import { agentOf } from '../../src/identity/devices/device-agent.js';
import { parseLogin } from '../../src/identity/devices/device-input.js';
import { LocalCaptchaVerifier } from '../../src/identity/devices/captcha/captcha-verifier.js';
import { linkCodeDigest, newLinkCode } from '../../src/identity/devices/device-secret.js';

const UNKNOWN = { browser: null, system: null, platform: null };

describe('a user agent', () => {
  it('that is empty or nonsense is unknown, and never throws', () => {
    for (const text of ['', ' ', '\t', 'x', '('.repeat(512), '\u{0}'])
      expect(agentOf(text)).toMatchObject({ ...UNKNOWN, browser: agentOf(text).browser });
    expect(agentOf('')).toEqual(UNKNOWN);
  });

  it('is cut to 512 characters without cutting one in two, and cleaned of controls', () => {
    const parsed = parseLogin({ identifier: 'd', userAgent: `a\u{0}\nb${'\u{1F600}'.repeat(600)}` });
    expect(parsed.userAgent.startsWith('a b\u{1F600}')).toBe(true);
    expect([...parsed.userAgent]).toHaveLength(512);
    expect(parseLogin({ identifier: 'd' }).userAgent).toBe('');
    expect(parseLogin({ identifier: 'd', userAgent: null }).userAgent).toBe('');
  });
});

describe('a link code', () => {
  it('has 12 letters without look-alikes, and is found as a person types it', () => {
    const code = newLinkCode();
    expect(code).toMatch(/^[A-HJ-NP-Z2-9]{12}$/);
    const typed = ` ${code.slice(0, 4).toLowerCase()}-${code.slice(4, 8)} ${code.slice(8)} `;
    expect(linkCodeDigest('T', typed)).toBe(linkCodeDigest('T', code));
    expect(linkCodeDigest('T', code)).not.toBe(linkCodeDigest('U', code));
  });
});

describe('the local verifier of captchas', () => {
  it('takes one token', async () => {
    const terms = { url: '', secret: '' };
    const verifier = new LocalCaptchaVerifier();
    expect(await verifier.isSolved(terms, { token: 'local-captcha', ip: '' })).toBe(true);
    expect(await verifier.isSolved(terms, { token: 'another', ip: '' })).toBe(false);
  });
});
