import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddress, trustedProxies } from '../../src/platform/trusted-proxies.js';

function addressOf(setting: string, peer: string, forwarded?: string): string {
  const request = { socket: { remoteAddress: peer }, headers: { 'x-forwarded-for': forwarded } };
  return clientAddress(request as unknown as IncomingMessage, trustedProxies(setting));
}

const CLIENT = '203.0.113.9';
const CDN = '198.51.100.7';
const BALANCER = '10.0.0.5';
const FORGED = '192.0.2.1';

describe("a client's address", () => {
  it.each([
    ['no proxy', 'false', CLIENT, undefined],
    ['no proxy, 0', '0', CLIENT, FORGED],
    ['one proxy, true', 'true', BALANCER, CLIENT],
    ['one proxy, 1', '1', BALANCER, CLIENT],
    ['a CDN and a load balancer, by count', '2', BALANCER, `${CLIENT}, ${CDN}`],
    ['a CDN and a load balancer, by networks', '10.0.0.0/8,198.51.100.0/24', BALANCER, `${CLIENT}, ${CDN}`],
    ['a peer as IPv6 writes IPv4', '10.0.0.0/8', `::ffff:${BALANCER}`, CLIENT],
    ['networks by name, with blanks', ' loopback , uniquelocal', '127.0.0.1', `${CLIENT}, 10.9.9.9`],
    ['a proxy that writes the port', '1', BALANCER, `${CLIENT}:4711`],
    ['a middle proxy that writes the port', '10.0.0.5,198.51.100.7', BALANCER, `${CLIENT}, ${CDN}:80`],
  ])('is found behind %s', (_name, setting, peer, forwarded) => {
    expect(addressOf(setting, peer, forwarded)).toBe(CLIENT);
  });

  it.each([
    ['without a proxy', 'false', CLIENT, FORGED],
    ['before one proxy, by true', 'true', BALANCER, `${FORGED}, ${CLIENT}`],
    ['before one proxy', '1', BALANCER, `${FORGED}, 127.0.0.1, ${CLIENT}`],
    ['before two proxies', '2', BALANCER, `${FORGED}, ${CLIENT}, ${CDN}`],
    ['before trusted networks', '10.0.0.0/8,198.51.100.7', BALANCER, `${FORGED}, ${CLIENT}, ${CDN}`],
    ['by the address of a trusted proxy', '10.0.0.0/8', BALANCER, `${FORGED}, 10.0.0.9, ${CLIENT}`],
    ['past the proxies, when networks are listed', '10.0.0.0/8', CLIENT, FORGED],
    ['past the CDN, when networks are listed', '10.0.0.0/8,198.51.100.7', BALANCER, `${FORGED}, ${CLIENT}`],
  ])('cannot be forged %s', (_name, setting, peer, forwarded) => {
    expect(addressOf(setting, peer, forwarded)).toBe(CLIENT);
  });

  it.each([
    ['unknown', 'unknown'],
    ['nothing', ''],
    ['commas alone', ' , '],
    ['a hidden name', '_hidden'],
    ['a very long text', 'x'.repeat(10_000)],
    ['part of an address', '1.2.3'],
    ['an address in quotes', `"${CLIENT}"`],
  ])('is that of the last proxy when it writes %s', (_name, forwarded) => {
    expect(addressOf('2', BALANCER, forwarded)).toBe(BALANCER);
  });

  it.each(['constructor', 'toString', '__proto__', 'True', '17', '-1', ''])(
    'is not told from a setting of "%s", which is refused',
    (setting) => {
      expect(() => trustedProxies(setting)).toThrow(Error);
    },
  );

  it('may be an IPv6 address with a port', () => {
    expect(addressOf('1', BALANCER, '[2001:db8::1]:4711')).toBe('2001:db8::1');
    expect(addressOf('1', BALANCER, '2001:db8::1')).toBe('2001:db8::1');
  });

  it.each(['::ffff:9.9.9.5', '::ffff:909:905', '0:0:0:0:0:ffff:9.9.9.5', '[::FFFF:909:905]:1'])(
    'is one however it is spelled: %s',
    (spelling) => {
      expect(addressOf('1', BALANCER, spelling)).toBe('9.9.9.5');
      expect(addressOf('1', BALANCER, '2001:DB8:0:0::1')).toBe('2001:db8::1');
    },
  );

  it.each(['1,2', '1.5', '0x10', 'loopback,1', '10.0.0.0/8,', 'constructor', '-1', '17'])(
    'is not read by the setting %s, which names no proxy',
    (setting) => {
      expect(() => trustedProxies(setting)).toThrow();
    },
  );

  it('is unknown once the connection has closed', () => {
    const request = { socket: {}, headers: { 'x-forwarded-for': FORGED } };
    expect(clientAddress(request as unknown as IncomingMessage, trustedProxies('loopback'))).toBe('');
  });
});
