import { z } from 'zod';
import { foreignKeyText, nameText, orElse, parseInput, visibleText } from '../../platform/input.js';
import { SHORT_CODE_LENGTH_MAX, USER_AGENT_LENGTH_MAX } from './device.entity.js';

/** Longer than any token of a captcha provider. */
const CAPTCHA_TOKEN_LENGTH_MAX = 4096;
const LINK_CODE_LENGTH_MAX = 64;

/** Length of a client's secret: long enough against guessing, although the server cannot judge its randomness. */
const clientSecret = visibleText(128, 32);

/** The client's system decides on the user agent, so it is cut and cleaned instead of refused. */
const userAgent = orElse(z.string(), '').transform((text) =>
  [...text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()].slice(0, USER_AGENT_LENGTH_MAX).join(''),
);

const loginInput = z.object({
  identifier: foreignKeyText,
  shortCode: orElse(nameText(SHORT_CODE_LENGTH_MAX), null),
  secret: orElse(clientSecret, null),
  userAgent,
  captchaToken: orElse(z.string().max(CAPTCHA_TOKEN_LENGTH_MAX), null),
  linkCode: orElse(z.string().max(LINK_CODE_LENGTH_MAX), null),
});

/** The input of a sign-in. */
export type WantedLogin = z.output<typeof loginInput>;

/** @throws DomainError one of `DEVICE_LOGIN_REFUSALS` */
export function parseLogin(input: unknown): WantedLogin {
  return parseInput(loginInput, input, {
    identifier: 'IDENTIFIER_NOT_ALLOWED',
    shortCode: 'SHORT_CODE_NOT_ALLOWED',
    secret: 'SECRET_NOT_ALLOWED',
    input: 'INPUT_NOT_ALLOWED',
  });
}
