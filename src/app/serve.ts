import 'reflect-metadata';
import { once } from 'node:events';
import { loadConfig } from '../config.js';
import { failureMessage } from './failure-message.js';
import { launch } from './launch.js';
import { createLog } from '../platform/observability/log.js';
import { startTracing } from '../platform/observability/tracing.js';
import { welcome } from './welcome.js';

/** npm passes a Ctrl-C on that the terminal has sent to its children already: the two are one. */
const SAME_SIGNAL_MS = 1000;
const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const signals = heedSignals();
  const config = loadConfig();
  const log = createLog({ level: config.LOG_LEVEL });
  const traces = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  const stopTracing = traces === undefined ? null : await startTracing(config.OTEL_TRACES_SAMPLER_ARG);
  const launching = launch(config, log, { say, signal: signals.first });
  const launched = await launching.catch((error: unknown) => {
    if (signals.first.aborted) return null;
    log.debug({ err: error }, 'the start failed');
    throw error;
  });
  if (launched === null) {
    say('Stopped before the start was complete; nothing is left running.');
    return SIGNAL_STATUS[signals.first.reason as keyof typeof SIGNAL_STATUS];
  }
  say(welcome(launched, process.stderr.isTTY));
  if (!signals.first.aborted) await once(signals.first, 'abort');
  say('Stopping: finishing what is under way. Press Ctrl-C again to stop at once.');
  await launched.stop();
  await stopTracing?.();
  return 0;
}

/** The first signal cancels the start, or drains; a second one ends the process at once. */
function heedSignals(): { readonly first: AbortSignal } {
  const controller = new AbortController();
  let firstMs = 0;
  const heed = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted && performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(1);
    if (!controller.signal.aborted) firstMs = performance.now();
    controller.abort(signal);
  };
  process.on('SIGINT', heed);
  process.on('SIGTERM', heed);
  return { first: controller.signal };
}

// Who reads the output may go first; that is no reason to stop.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  process.exit(await main());
} catch (error) {
  say(failureMessage(error, 'LOG_LEVEL=debug'));
  process.exit(1);
}
