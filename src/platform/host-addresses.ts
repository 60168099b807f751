import { lookup } from 'node:dns/promises';

/** As where IPv6 is off, though `localhost` has an address of it. */
const NOT_HERE: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** All addresses that a process listens on: `localhost` is two on most machines, every other name is one. */
export async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: host === 'localhost' });
  return [...new Set([found].flat().map(({ address }) => address))];
}

/** Whether listening failed because the address is none of this machine, and not because another program has it. */
export function isNotHere(error: unknown): boolean {
  return NOT_HERE.has((error as NodeJS.ErrnoException).code);
}
