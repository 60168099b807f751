import { lookup as lookupInSystem, Resolver } from 'node:dns/promises';
import pLimit from 'p-limit';

/** Of one question to one name server; a second one has twice as long. */
const ANSWER_WITHIN_MS = 1000;
const QUESTIONS = 2;
/** The system takes one of four threads of the process for a name, also while no name server answers. */
const IN_SYSTEM_AT_ONCE = 2;
const LATE_IN_SYSTEM_AT_ONCE = 1;

export interface HostAddress {
  readonly address: string;
  readonly family: number;
}
export type Lookup = (hostname: string) => Promise<readonly HostAddress[]>;

interface Answer {
  readonly addresses: readonly HostAddress[];
  /** Whether a name server did not answer in time. */
  readonly isLate: boolean;
}

/**
 * Resolves names; requests to the same name share one lookup. Name servers are asked without a thread, so that names whose
 * servers do not answer hold up no others. A name that they do not know is left to the system, which knows those of
 * `/etc/hosts`; one that they are late with waits there behind its like.
 * @param servers to be asked instead of the system's, as `127.0.0.1:53`
 */
export function nameLookup(servers?: readonly string[]): Lookup {
  const known = pLimit(IN_SYSTEM_AT_ONCE);
  const late = pLimit(LATE_IN_SYSTEM_AT_ONCE);
  const underWay = new Map<string, Promise<readonly HostAddress[]>>();
  const find: Lookup = async (hostname) => {
    const { addresses, isLate } = await asked(hostname, servers);
    if (addresses.length > 0) return addresses;
    return (isLate ? late : known)(async () => lookupInSystem(hostname, { all: true }));
  };
  return async (hostname) => {
    const shared = underWay.get(hostname) ?? find(hostname).finally(() => underWay.delete(hostname));
    underWay.set(hostname, shared);
    return shared;
  };
}

async function asked(hostname: string, servers?: readonly string[]): Promise<Answer> {
  // A new one each time, because it reads the list of name servers when it is made.
  const resolver = new Resolver({ timeout: ANSWER_WITHIN_MS, tries: QUESTIONS });
  if (servers !== undefined) resolver.setServers(servers);
  const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return {
    addresses: [...addressesOf(four, 4), ...addressesOf(six, 6)],
    isLate: [four, six].some(
      (each) => each.status === 'rejected' && (each.reason as NodeJS.ErrnoException).code === 'ETIMEOUT',
    ),
  };
}

function addressesOf(result: PromiseSettledResult<string[]>, family: number): HostAddress[] {
  return result.status === 'fulfilled' ? result.value.map((address) => ({ address, family })) : [];
}
