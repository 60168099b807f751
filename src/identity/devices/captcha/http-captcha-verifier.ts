import { z } from 'zod';
import type { Logger } from '../../../platform/observability/log.js';
import type { OutgoingHttp } from '../../../platform/outgoing/outgoing-http.js';
import type { CaptchaTerms } from '../device-ports.js';
import { CaptchaUnavailableError, type CaptchaAnswer, type CaptchaVerifier } from './captcha-verifier.js';

const TIMEOUT_MS = 5000;
/** Requests to the provider at once for one tenant's account there. */
const AT_ONCE_MAX = 64;

const verdict = z.object({
  success: z.boolean(),
  'error-codes': z.array(z.string()).nullish(),
});

/** Error codes that blame the tenant's settings, not the client's answer. */
const SETTINGS_AT_FAULT: ReadonlySet<string> = new Set([
  'missing-input-secret',
  'invalid-input-secret',
  'sitekey-secret-mismatch',
  'bad-request',
]);

/** Asks the provider by the form that Turnstile, hCaptcha and reCAPTCHA share (`siteverify`). */
export class HttpCaptchaVerifier implements CaptchaVerifier {
  /** Requests that are not answered yet, by the secret of the account. */
  private readonly underWay = new Map<string, number>();

  constructor(
    private readonly outgoing: Pick<OutgoingHttp, 'send'>,
    private readonly log: Logger,
  ) {}

  async isSolved(terms: CaptchaTerms, answer: CaptchaAnswer): Promise<boolean> {
    const { success, 'error-codes': codes } = await this.askBounded(terms, answer);
    if (codes?.some((code) => SETTINGS_AT_FAULT.has(code)) === true) {
      this.log.warn({ codes }, 'a captcha provider refuses the settings of a tenant');
      throw new CaptchaUnavailableError('The provider refuses the settings.');
    }
    return success;
  }

  private async askBounded(terms: CaptchaTerms, answer: CaptchaAnswer) {
    const { secret } = terms;
    const underWay = this.underWay.get(secret) ?? 0;
    if (underWay >= AT_ONCE_MAX)
      throw new CaptchaUnavailableError('Too many answers wait for their verdict.');
    this.underWay.set(secret, underWay + 1);
    try {
      return await this.ask(terms, answer);
    } finally {
      const left = (this.underWay.get(secret) ?? 0) - 1;
      if (left > 0) this.underWay.set(secret, left);
      else this.underWay.delete(secret);
    }
  }

  private async ask({ url, secret }: CaptchaTerms, { token, ip }: CaptchaAnswer) {
    try {
      const { status, body } = await this.outgoing.send({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({ secret, response: token, remoteip: ip }).toString(),
        timeoutMs: TIMEOUT_MS,
      });
      if (status >= 500) throw new CaptchaUnavailableError(`The provider answered ${status}.`);
      return verdict.parse(JSON.parse(body.toString()));
    } catch (error) {
      this.log.warn({ err: error }, 'a captcha could not be checked');
      throw new CaptchaUnavailableError('The provider gave no verdict.', { cause: error });
    }
  }
}
