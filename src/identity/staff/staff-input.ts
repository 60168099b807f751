import { z } from 'zod';
import { STAFF_ROLES } from '../../graphql/actor.js';
import { nameText } from '../../platform/input.js';
import { expectedVersion } from '../../platform/database/change-row.js';

const PASSWORD_MIN = 12;
const PASSWORD_MAX = 128;
/** Mail exchangers ignore case, and two accounts that differ in it would be taken for one. */
export const emailText = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('must be an e-mail address'));

/** Long rather than intricate: NIST SP 800-63B. Counted as people count. */
export const newPassword = z
  .string()
  .refine((text) => [...text].length >= PASSWORD_MIN, `must have at least ${PASSWORD_MIN} characters`)
  .refine((text) => [...text].length <= PASSWORD_MAX, `must have at most ${PASSWORD_MAX} characters`)
  .refine((text) => new Set(text).size > 3, 'must have more than three different characters');

/** What is typed at a sign-in: judged by its hash, and bounded because hashing costs. */
export const typedPassword = z
  .string()
  .min(1, 'must not be empty')
  .max(4 * PASSWORD_MAX, 'is too long');

export const inviteInput = z.strictObject({
  email: emailText,
  name: nameText(64),
  role: z.enum(STAFF_ROLES),
});

export const updateInput = z.strictObject({
  name: nameText(64).nullish(),
  role: z.enum(STAFF_ROLES).nullish(),
  status: z.enum(['ACTIVE', 'DISABLED']).nullish(),
  expectedVersion,
});
