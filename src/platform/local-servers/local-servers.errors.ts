import { StartError } from '../errors.js';

/** The private servers could not be started or are not set up; the message says what to do. */
export class LocalServersError extends StartError {
  override readonly name: string = 'LocalServersError';
}

/** Another live process runs servers on the same data. Two servers on one folder would destroy it. */
export class LocalServersBusyError extends LocalServersError {
  override readonly name = 'LocalServersBusyError';

  constructor(
    readonly dataDir: string,
    readonly ownerPid: number,
  ) {
    super(
      `Redeemkit is already running with the data in ${dataDir} (process ${ownerPid}). ` +
        'Stop it first, or set DATA_DIR to another folder.',
    );
  }
}
