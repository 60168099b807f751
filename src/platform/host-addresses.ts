import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';

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

/** Throws what listening there fails with; else the place is free again. */
export async function tryListening(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } finally {
    server.close();
  }
}
