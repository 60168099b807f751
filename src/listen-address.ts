import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartError } from './platform/errors.js';

/** Finds out whether the process can listen there, before it touches anything else. @throws StartError when it cannot */
export async function assertCanListen(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    throw new StartError(listenProblem((error as NodeJS.ErrnoException).code, host, port), { cause: error });
  } finally {
    server.close();
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
