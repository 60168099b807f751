import 'reflect-metadata';
import { ConfigError, loadConfig, type Config } from './config.js';
import { launch, type Launched } from './launch.js';
import { EmbeddedServicesError } from './platform/embedded-services/embedded-services.errors.js';
import { createLog } from './platform/log.js';
import { welcome } from './welcome.js';

const say = (line: string): void => console.error(line);

async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLog({ level: config.LOG_LEVEL });
  const launched = await launch(config, log, say);
  stopOnSignals(launched, config);
  say(welcome(launched));
}

/** The first signal drains; a second one, from somebody who cannot wait, ends at once. */
function stopOnSignals(launched: Launched, config: Config): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    say('Stopping: finishing what is under way. Press Ctrl-C again to stop at once.');
    launched.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        createLog({ level: config.LOG_LEVEL }).fatal({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

main().catch((error: unknown) => {
  const isExplained = error instanceof ConfigError || error instanceof EmbeddedServicesError;
  if (isExplained) say(error.message);
  else createLog({ level: 'fatal' }).fatal({ err: error }, 'the start failed');
  process.exit(1);
});
