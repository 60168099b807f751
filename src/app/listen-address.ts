import { StartError } from '../platform/errors.js';
import { addressesOf, isNotHere, tryListening } from '../platform/host-addresses.js';

/**
 * Finds out whether the process can listen there, before it touches anything else: at every address of `localhost`,
 * because a program at another one would be sent the tokens of clients.
 * @throws StartError when it cannot
 */
export async function assertCanListen(host: string, port: number): Promise<void> {
  try {
    const [address = host, ...others] = await addressesOf(host);
    await tryListening(address, port);
    for (const other of others) {
      await tryListening(other, port).catch((error: unknown) => {
        if (!isNotHere(error)) throw error;
      });
    }
  } catch (error) {
    const { code, address = host } = error as NodeJS.ErrnoException & { readonly address?: string };
    throw new StartError(listenProblem(code, address, port), { cause: error });
  }
}

function listenProblem(code: string | undefined, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is in use: stop the program that listens there, or set PORT to another one.`;
    case 'EACCES':
      return `Port ${port} may not be used by this user: set PORT to one above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${host} is no address of this machine: correct HOST.`;
    default:
      return `Nothing can listen on ${host}, port ${port} (${code ?? 'unknown'}): correct HOST and PORT.`;
  }
}
