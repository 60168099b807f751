import { BlockList, isIP, SocketAddress } from 'node:net';

/** Networks without a public owner: IANA's special-purpose registry, and metadata services at public addresses. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Azure serves instance data there.
  '168.63.129.16/32',
];
/** Of IPv6 only `2000::/3` is handed out; these parts of it are special, or carry IPv4 addresses (Teredo, 6to4). */
const GLOBAL_IPV6 = '2000::/3';
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
/** IPv6 prefixes whose last 32 bits are an IPv4 address: mapped addresses, and NAT64. */
const WITH_IPV4 = ['::ffff:0:0/96', '64:ff9b::/96'];

/** @throws TypeError for anything but addresses and networks, such as `10.0.0.0/8` or `::1` */
export function networks(names: readonly string[]): BlockList {
  const list = new BlockList();
  for (const name of names) {
    const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(name) ?? [];
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    if (version === 0 || address.includes('%') || Number(prefix ?? bits) > bits)
      throw new TypeError(`${name} is neither an address nor a network.`);
    list.addSubnet(address, Number(prefix ?? bits), version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

const specialIpv4 = networks(SPECIAL_IPV4);
const specialIpv6 = networks(SPECIAL_IPV6);
const globalIpv6 = networks([GLOBAL_IPV6]);
const withIpv4 = networks(WITH_IPV4);

/** Decides which addresses a request to a foreign URL may reach: public ones, and those of a list. */
export class AddressGuard {
  private readonly allowed: BlockList;
  readonly allowsSome: boolean;

  /** @param allowedNetworks reached although they are not public, and without TLS */
  constructor(allowedNetworks: readonly string[]) {
    this.allowed = networks(allowedNetworks);
    this.allowsSome = allowedNetworks.length > 0;
  }

  isReachable(address: string): boolean {
    return this.isAllowed(address) || isPublic(address);
  }

  /** Whether the address is one of the list. */
  isAllowed(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.allowed.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }
}

/** Whether the text is an address of the public internet. */
export function isPublic(address: string): boolean {
  const plain = plainAddress(address);
  const version = isIP(plain);
  if (version === 0) return false;
  if (version === 4) return !specialIpv4.check(plain, 'ipv4');
  return globalIpv6.check(plain, 'ipv6') && !specialIpv6.check(plain, 'ipv6');
}

/** Without a zone (`fe80::1%eth0`), and as IPv4 where an IPv6 address only carries one. */
function plainAddress(address: string): string {
  const [unzoned = ''] = address.split('%', 1);
  if (isIP(unzoned) !== 6) return unzoned;
  // The canonical text has its last two groups, unless they are zeros.
  const { address: text } = new SocketAddress({ address: unzoned, family: 'ipv6' });
  return withIpv4.check(text, 'ipv6') ? lastFourBytes(text) : text;
}

function lastFourBytes(address: string): string {
  const dotted = /\d+\.\d+\.\d+\.\d+$/.exec(address);
  if (dotted !== null) return dotted[0];
  const [head = '', tail = head] = address.split('::');
  const groups = tail === '' ? [] : tail.split(':');
  const [high = '0', low = '0'] = ['0', '0', ...groups].slice(-2);
  const bytes = [high, low].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [Math.floor(value / 256), value % 256];
  });
  return bytes.join('.');
}
