import type { Evidence } from './evidence.js';
import { violation, type Violation } from './violation.js';

/** I9: no process has printed a whole code, a token or a secret. */
export function checkSecrets({ said, secrets }: Evidence): Violation[] {
  return said.flatMap((text, process) => {
    const upper = text.toUpperCase();
    const spilled = secrets.filter((secret) => upper.includes(secret.toUpperCase()));
    const what = (secret: string): string =>
      `process ${process} has said the secret that begins ${secret.slice(0, 4)}…`;
    return spilled.map((secret) => violation('I9', what(secret)));
  });
}
