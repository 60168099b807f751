import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import type { TimeUnit } from '../../rewards/time-unit.js';

/** What the sign-in by device gives to a new user, once. */
export interface TrialTerms {
  readonly planId: Id;
  readonly unit: TimeUnit;
  readonly quantity: number;
}

/** The service that verifies captchas. */
export interface CaptchaTerms {
  readonly url: string;
  readonly secret: string;
}

/** How devices sign in at a tenant. */
export interface DeviceTerms {
  /** Whether devices sign in at all. */
  readonly enabled: boolean;
  /** Null where a sign-in needs no captcha. */
  readonly captcha: CaptchaTerms | null;
  readonly trial: TrialTerms | null;
  /** New devices that one address may bring within the window; 0 means any number. */
  readonly signUpsPerAddress: number;
  readonly signUpWindowMs: number;
  /** Devices that a user may have bound; 0 means any number. */
  readonly devicesMax: number;
  /** Devices that a user may have online; 0 means any number. */
  readonly onlineMax: number;
}

/** The tenant's settings, at most a second old. */
export interface DeviceSettings {
  /**
   * @returns null where there is no such tenant, or it is disabled
   * @throws StoreUnavailableError
   */
  of(tenantId: string): Promise<DeviceTerms | null>;
}

/** What devices need of plans; a later feature implements it. */
export interface DevicePlans {
  /**
   * Gives a trial in the caller's transaction, by the session that also gives the rewards of redemptions.
   * @param trialId what the subscription names as its order
   * @returns the subscription; null where the plan cannot be given
   */
  giveTrial(
    em: Em,
    tenantId: string,
    trial: TrialTerms & { readonly trialId: Id; readonly userId: Id },
    now: Date,
  ): Promise<Id | null>;
  /** After the commit: drops what caches hold. Never throws. */
  trialGiven(tenantId: string, given: { readonly userId: Id; readonly planId: Id }): Promise<void>;
  /** The most devices that the plans of the user's running subscriptions allow; 0 means any number. */
  deviceLimit(em: Em, tenantId: string, userId: Id, now: Date): Promise<number>;
}

/** Counts attempts in a rolling window. */
export interface Windows {
  /**
   * @param attemptId one that is counted already is admitted again, and not counted
   * @returns how long to wait where the window is full, in milliseconds; 0 where the attempt was admitted
   * @throws StoreUnavailableError
   */
  admit(
    attemptId: string,
    window: { readonly key: string; readonly limit: number; readonly lengthMs: number },
  ): Promise<number>;
}

/** Something a user owns, and would lose without a way to sign in. */
export interface UserHolding {
  /** As a message names it: "a balance". */
  readonly name: string;
  /** Inside the transaction of the caller, who has locked the user. */
  isHeld(em: Em, tenantId: string, userId: Id, now: Date): Promise<boolean>;
}
