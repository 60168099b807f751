import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import type { ServerMessage } from './server-process.js';

const inspector = new Session();

/** Reports to the parent where this process listens, then serves its requests until it has to stop. */
export function serveParent(address: string, stop: () => Promise<void>): void {
  process.on('message', (message: ServerMessage) => {
    obey(message, stop).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
  // Without its parent it has no servers either.
  process.on('disconnect', () => process.exit(1));
  process.send?.({ address });
}

async function obey(message: ServerMessage, stop: () => Promise<void>): Promise<void> {
  switch (message.kind) {
    case 'STOP':
      await stop();
      process.exit(0);
      break;
    case 'PROFILE':
      inspector.connect();
      await inspector.post('Profiler.enable');
      await inspector.post('Profiler.start');
      break;
    case 'WRITE_PROFILE': {
      const { profile } = await inspector.post('Profiler.stop');
      await writeFile(message.file, JSON.stringify(profile));
      inspector.disconnect();
      break;
    }
    case 'CPU':
      break;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000 });
}
