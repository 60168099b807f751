import { pino, type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger } from 'pino';
import { scrub, scrubValue } from './scrub.js';
import { traceIds } from './tracing.js';

export type { Logger } from 'pino';

export interface LogSettings {
  readonly level: string;
}

type ChildOf = (this: Logger, fields: Bindings, options?: ChildLoggerOptions) => Logger;

/**
 * The structured log of a process: one JSON object a line. Everything passes the scrubber (`scrub.ts`), messages,
 * fields, errors and the fields of child loggers alike, so callers need not filter secrets.
 */
export function createLog(settings: LogSettings, destination?: DestinationStream): Logger {
  const pinoOptions = {
    level: settings.level,
    // By default an `err` is unfolded before the formatter below sees it, with fields that are not scrubbed.
    mixin: () => traceIds() ?? {},
    serializers: { err: (error: unknown) => error },
    formatters: {
      log: (fields: object) => scrubValue(fields) as Record<string, unknown>,
    },
    hooks: {
      logMethod(this: Logger, parts: unknown[], write: (...given: unknown[]) => void) {
        const [first, ...rest] = parts;
        // An error or an object in front is for the formatter; everything else becomes part of the message.
        const head = typeof first === 'object' ? asFields(first, rest) : scrubValue(first);
        write.call(this, head, ...rest.map((part) => scrubValue(part)));
      },
    },
  };
  const log: Logger = destination === undefined ? pino(pinoOptions) : pino(pinoOptions, destination);
  // Children inherit this, and theirs too; the formatters do not see a child's fields.
  const { child } = log as unknown as { child: ChildOf };
  log.child = function scrubbedChild(this: Logger, fields, options) {
    return child.call(this, scrubValue(fields) as Bindings, options);
  } satisfies ChildOf as unknown as Logger['child'];
  return log;
}

/** An error that is logged by itself; its message then is the line's, as it would be without the scrubber. */
function asFields(first: object | null, rest: unknown[]): object | null {
  if (!(first instanceof Error)) return first;
  if (rest.length === 0) rest.push(scrub(first.message));
  return { err: first };
}

/** The log of one request: each of its lines bears the id that an answer names too. */
export function requestLog(log: Logger, requestId: string): Logger {
  return log.child({ requestId });
}
