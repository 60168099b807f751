import { array, assert, constantFrom, ipV4, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressGuard, isPublic, networks } from '../../src/platform/outgoing/address-guard.js';
import { OutgoingHttp } from '../../src/platform/outgoing/outgoing-http.js';
import { OutgoingError } from '../../src/platform/outgoing/outgoing.errors.js';

const PRIVATE: readonly (readonly [string, string])[] = [
  ['this network', '0.0.0.0'],
  ['10/8, first', '10.0.0.0'],
  ['10/8, last', '10.255.255.255'],
  ['CGNAT, first', '100.64.0.0'],
  ['CGNAT, metadata of Alibaba', '100.100.100.200'],
  ['CGNAT, last', '100.127.255.255'],
  ['loopback', '127.0.0.1'],
  ['loopback, last', '127.255.255.255'],
  ['link-local', '169.254.0.1'],
  ['metadata', '169.254.169.254'],
  ['metadata of Azure', '168.63.129.16'],
  ['172.16/12, first', '172.16.0.0'],
  ['172.16/12, last', '172.31.255.255'],
  ['protocol assignments', '192.0.0.192'],
  ['documentation', '203.0.113.9'],
  ['192.168/16', '192.168.1.1'],
  ['benchmarks', '198.19.255.255'],
  ['multicast', '224.0.0.1'],
  ['multicast, last', '239.255.255.255'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['no address', '::'],
  ['loopback of IPv6', '::1'],
  ['loopback of IPv6, written out', '0:0:0:0:0:0:0:1'],
  ['mapped loopback', '::ffff:127.0.0.1'],
  ['mapped loopback in hex', '::ffff:7f00:1'],
  ['mapped zeros', '::ffff:0:0'],
  ['compatible loopback', '::127.0.0.1'],
  ['NAT64 of loopback', '64:ff9b::127.0.0.1'],
  ['NAT64 of metadata', '64:ff9b::a9fe:a9fe'],
  ['NAT64 of 0.0.0.0', '64:ff9b::'],
  ['NAT64 of 10.0.0.0', '64:ff9b::a00:0'],
  ['local NAT64', '64:ff9b:1::808:808'],
  ['6to4 of loopback', '2002:7f00:1::'],
  ['Teredo', '2001:0:808:808::1'],
  ['unique local, first', 'fc00::'],
  ['unique local, metadata of AWS', 'fd00:ec2::254'],
  ['link-local of IPv6', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['link-local, last', 'febf:ffff::1'],
  ['site-local', 'fec0::1'],
  ['multicast of IPv6', 'ff02::1'],
  ['documentation of IPv6', '2001:db8::1'],
  ['no address at all', 'localhost'],
  ['an empty text', ''],
];

describe('public addresses', () => {
  it.each(PRIVATE)('do not include %s, %s', (_name, address) => {
    expect(isPublic(address)).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:80b::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
  ])('include %s', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it('are the same whether an IPv4 address is written as itself, mapped or by NAT64', () => {
    assert(
      property(ipV4(), (ipv4) => {
        const groups = ipv4.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
        const hex = `${groups[0]}${groups[1]}:${groups[2]}${groups[3]}`;
        const written = [`::ffff:${ipv4}`, `::ffff:${hex}`, `0:0:0:0:0:FFFF:${hex}`, `64:ff9b::${hex}`];
        expect(written.map(isPublic)).toEqual(written.map(() => isPublic(ipv4)));
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  it('have no member in a private IPv4 network', () => {
    const nets = [
      [10],
      [127],
      [169, 254],
      [172, 16],
      [172, 31],
      [192, 168],
      [100, 64],
      [100, 127],
      [0],
      [224],
      [255],
    ];
    const member = tuple(constantFrom(...nets), array(nat(255), { minLength: 4, maxLength: 4 }));
    assert(
      property(member, ([net, rest]) => {
        expect(isPublic([...net, ...rest].slice(0, 4).join('.'))).toBe(false);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });
});

describe('a list of allowed networks', () => {
  it('opens its members and nothing else', () => {
    const guard = new AddressGuard(['127.0.0.0/8', '::1', '10.1.2.3']);
    expect(['127.0.0.1', '::1', '10.1.2.3', '::ffff:10.1.2.3'].map((a) => guard.isAllowed(a))).toEqual(
      Array.from({ length: 4 }, () => true),
    );
    expect(['10.1.2.4', '192.168.0.1', '::2'].map((a) => guard.isReachable(a))).toEqual([
      false,
      false,
      false,
    ]);
    expect([guard.isReachable('8.8.8.8'), guard.isAllowed('8.8.8.8')]).toEqual([true, false]);
  });

  it.each(['', '127.1', 'localhost', '10.0.0.0/33', '::1/129', '10.0.0.0/-1', 'fe80::1%eth0', '1.2.3.4/8/8'])(
    'refuses %j',
    (name) => {
      expect(() => networks([name])).toThrow(TypeError);
    },
  );
});

function failureOf(http: OutgoingHttp, url: string): string | null {
  try {
    http.checkedUrl(url);
    return null;
  } catch (error) {
    if (error instanceof OutgoingError) return error.failure;
    throw error;
  }
}

describe('a URL of others', () => {
  const http = new OutgoingHttp();

  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://%31%32%37.0.0.1/',
    'https://１２７.0.0.1/',
    'https://127。0。0。1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[0:0:0:0:0:ffff:7f00:1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2852039166/',
    'https://localhost/',
    'https://LOCALHOST./',
    'https://a.localhost/',
    'https://0/',
  ])('does not lead to a private address by the spelling %s', (url) => {
    expect(failureOf(http, url)).toBe('ADDRESS_NOT_ALLOWED');
  });

  it.each([
    '',
    'shop.example',
    '//shop.example/',
    'http://shop.example/',
    'ftp://shop.example/',
    'file:///etc/passwd',
    'gopher://shop.example/',
    'data:text/plain,x',
    'javascript:alert(1)',
    'unix:/run/docker.sock',
    'https://user@shop.example/',
    'https://user:secret@shop.example/',
    'https://shop.example:0/',
    'https://shop.example:99999/',
    'https://[::1/',
    'https://1.2.3.4.5/',
    'https://[fe80::1%25eth0]/',
    'https://',
  ])('is refused as %j', (url) => {
    expect(failureOf(http, url)).toBe('URL_NOT_ALLOWED');
  });

  it('may be plain where its address is on the list', () => {
    const local = new OutgoingHttp({ allowedNetworks: ['127.0.0.0/8'] });
    expect(failureOf(local, 'http://127.0.0.1:8080/hook')).toBeNull();
    expect(failureOf(local, 'http://1.1.1.1/hook')).toBe('ADDRESS_NOT_ALLOWED');
    expect(failureOf(local, 'https://1.1.1.1/hook')).toBeNull();
  });
});
