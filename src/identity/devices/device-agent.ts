import { parse } from 'bowser';

/** What a user agent says of a device; null where it does not say. */
export interface DeviceAgent {
  readonly browser: string | null;
  readonly system: string | null;
  /** `mobile`, `tablet`, `desktop`, `tv`. */
  readonly platform: string | null;
}

const UNKNOWN: DeviceAgent = { browser: null, system: null, platform: null };

/** Never throws: bowser does, for an empty text. */
export function agentOf(userAgent: string): DeviceAgent {
  if (userAgent.trim() === '') return UNKNOWN;
  try {
    const { browser, os, platform } = parse(userAgent);
    return {
      browser: named(browser.name, browser.version),
      system: named(os.name, os.versionName ?? os.version),
      platform: platform.type ?? null,
    };
  } catch {
    return UNKNOWN;
  }
}

function named(name: string | undefined, version: string | undefined): string | null {
  if (name === undefined || name === '') return null;
  return version === undefined || version === '' ? name : `${name} ${version}`;
}
