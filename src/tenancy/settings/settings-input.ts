import { z } from 'zod';
import { isId } from '../../platform/ids.js';
import { countNumber, nameText } from '../../platform/input.js';
import { lengthOf } from '../../platform/text.js';
import { TIME_UNITS } from '../../rewards/time-unit.js';

const COUNT_MAX = 1_000_000;
const MINUTES_MAX = 43_200;
const QUANTITY_MAX = 1000;
const KEYS_MAX = 10;
const SECRET_LENGTH_MAX = 256;
const CUSTOM_KEYS_MAX = 100;

/** Missing stays, null clears. */
const clearable = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().optional();
/** Missing and null stay. */
const kept = <Schema extends z.ZodType>(schema: Schema) => schema.nullish();

const webAddress = z
  .string()
  .max(512, 'must have at most 512 characters')
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'must be a web address');
const flag = kept(z.boolean());
const secretText = z
  .string()
  .refine((text) => lengthOf(text) <= SECRET_LENGTH_MAX, `must have at most ${SECRET_LENGTH_MAX} characters`);
const keyName = z.string().regex(/^[\w-]{1,32}$/, 'must be 1 to 32 letters, digits, hyphens or underscores');
const encryptionKey = z.strictObject({ id: keyName, secret: secretText.nullable() });

const customData = z
  .record(
    z.string().regex(/^[A-Za-z][\w.-]{0,63}$/, 'must begin with a letter, and have at most 64 characters'),
    z.unknown(),
  )
  .refine((data) => Object.keys(data).length <= CUSTOM_KEYS_MAX, `must have at most ${CUSTOM_KEYS_MAX} keys`);

/** A partial change: what is missing stays. */
export const updateGlobalConfigInput = z.strictObject({
  site: kept(
    z.strictObject({
      name: clearable(nameText(64)),
      description: clearable(nameText(500)),
      url: clearable(webAddress),
      logoUrl: clearable(webAddress),
    }),
  ),
  auth: kept(
    z.strictObject({
      deviceSignInEnabled: flag,
      captchaEnabled: flag,
      captchaProviderUrl: clearable(webAddress),
      captchaSiteKey: clearable(nameText(256)),
      captchaSecret: clearable(secretText),
    }),
  ),
  register: kept(
    z.strictObject({
      signUpsPerAddress: kept(countNumber(0, COUNT_MAX)),
      signUpWindowMinutes: kept(countNumber(1, MINUTES_MAX)),
      trialPlanId: clearable(z.string().refine(isId, 'must be the id of a plan')),
      trialUnit: kept(z.enum(TIME_UNITS)),
      trialQuantity: kept(countNumber(1, QUANTITY_MAX)),
    }),
  ),
  device: kept(
    z.strictObject({
      devicesPerUser: kept(countNumber(0, COUNT_MAX)),
      onlinePerUser: kept(countNumber(0, COUNT_MAX)),
      encryptionEnabled: flag,
      encryptionKeyId: clearable(keyName),
      encryptionV1KeyId: clearable(keyName),
      encryptionKeys: kept(z.array(encryptionKey).max(KEYS_MAX, `must be at most ${KEYS_MAX}`)),
    }),
  ),
  customData: kept(customData),
  /** 0 for a tenant that has set nothing yet. */
  expectedVersion: countNumber(0).nullish(),
});
export type UpdateGlobalConfig = z.output<typeof updateGlobalConfigInput>;
