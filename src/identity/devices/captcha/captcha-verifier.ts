import type { CaptchaTerms } from '../device-ports.js';

/** An answer to a captcha, as a client sent it. */
export interface CaptchaAnswer {
  readonly token: string;
  /** Of the client. */
  readonly ip: string;
}

/** Verifies answers to captchas. */
export interface CaptchaVerifier {
  /** @throws CaptchaUnavailableError where the provider gave no verdict */
  isSolved(terms: CaptchaTerms, answer: CaptchaAnswer): Promise<boolean>;
}

/** There is no verdict: the provider did not answer, or answered something else. */
export class CaptchaUnavailableError extends Error {
  override readonly name = 'CaptchaUnavailableError';
}

/** The token that {@link LocalCaptchaVerifier} takes. */
const LOCAL_TOKEN = 'local-captcha';

/** For development: accepts one token without a request. */
export class LocalCaptchaVerifier implements CaptchaVerifier {
  async isSolved(_terms: CaptchaTerms, { token }: CaptchaAnswer): Promise<boolean> {
    return token === LOCAL_TOKEN;
  }
}
