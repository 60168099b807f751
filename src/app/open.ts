import { entities, baseOf, modules, type App, type Services } from './modules.js';
import { composePlatform } from './platform.js';
import { fingerprintOf } from '../codes/code-digester.js';
import { PepperRegistry, type ConfiguredPeppers } from '../codes/pepper-registry.js';
import type { Config } from '../config.js';
import type { Logger } from '../platform/observability/log.js';
import type { Secrets } from './secrets.js';
import type { OperationPorts } from '../identity/partners/registered-operations.service.js';
import { operationCheck } from '../transport/operation-check.js';
import { buildRedeemkitSchema } from './schema.js';
import { openStores, type Stores, type StoreSettings } from './stores.js';

/** What a process is opened with; its secrets are settled by now. */
export interface OpenSettings extends Secrets, Omit<StoreSettings, 'keyPrints' | 'entities'> {
  readonly config: Config;
}

export interface OpenedApp {
  readonly stores: Stores;
  readonly app: App;
  readonly services: Services;
}

/**
 * Connects to the stores, makes sure that the codes in them can be read with the configured peppers, and builds the
 * services.
 *
 * @throws ConfigError when codes need another pepper
 */
export async function openApp(settings: OpenSettings, log: Logger): Promise<OpenedApp> {
  const { config, jwtSecret } = settings;
  const peppers = peppersOf(settings);
  const keyPrints = [peppers.current, ...peppers.previous].map(fingerprintOf);
  const stores = await openStores({ ...settings, entities, keyPrints }, log);
  try {
    const pepperRegistry = new PepperRegistry(stores.orm, log);
    const codePeppers = await pepperRegistry.settle(peppers);
    const platform = composePlatform(stores, { config, jwtSecret, codePeppers }, log);
    const app = modules.compose(baseOf(modules, platform));
    app.services.operationPorts.checkOperation = checkedLater(config);
    return { stores, app, services: app.services };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** For a process without a server: the schema is built when the first operation is to be registered. */
function checkedLater(config: Config): OperationPorts['checkOperation'] {
  let check: OperationPorts['checkOperation'] | null = null;
  return (text) => {
    check ??= operationCheck(buildRedeemkitSchema(), config);
    return check(text);
  };
}

function peppersOf({ config, codePepper, jwtSecret }: OpenSettings): ConfiguredPeppers {
  const { CODE_PEPPER_PREVIOUS: previous, JWT_SECRET_PREVIOUS: jwtPrevious } = config;
  return {
    current: codePepper,
    previous: previous ?? [],
    others: jwtPrevious === undefined ? [jwtSecret] : [jwtSecret, jwtPrevious],
  };
}
