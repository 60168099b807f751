import { hostname, userInfo } from 'node:os';
import { sayOnStderr } from './output.js';
import type { OperationFacts } from '../platform/recording/current-operation.js';

/** A command of the command line, as its changes are recorded. */
export interface NamedCommand {
  readonly parent: NamedCommand | null;
  name(): string;
  optsWithGlobals(): Record<string, unknown>;
}

/** How the audit log shows what a command changes: by the account that runs it on this machine. */
export function operationOf(command: NamedCommand): OperationFacts {
  const by = {
    kind: 'OPERATOR',
    tenantId: null,
    id: operatorName(),
    role: null,
    credentialId: null,
  } as const;
  const { verbose: _verbose, json: _json, ...input } = command.optsWithGlobals();
  const name = `cli ${pathOf(command)}`;
  const onUnrecorded = (tables: readonly string[]): void =>
    sayOnStderr(`The audit log does not show what ${name} changed in ${tables.join(', ')}.`);
  return { name, by, ip: null, requestId: null, input, onUnrecorded };
}

/** Without the name of the program. */
function pathOf(command: NamedCommand): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

function operatorName(): string {
  return `${accountName()}@${hostname()}`;
}

/** An account without an entry in the system's list, as in some containers, has a number alone. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
