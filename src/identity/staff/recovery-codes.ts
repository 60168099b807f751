import { Secret } from 'otpauth';
import { secretDigest } from '../sessions/refresh-token.js';

const CODES = 10;
/** 80 bits: 16 letters and digits of base32. Nobody finds such a code by its digest. */
const CODE_BYTES = 10;
const FORM = /^[A-Z2-7]{16}$/;

/** Codes for a member of staff without the authenticator app, and what is stored of them. */
export interface RecoveryCodes {
  /** In groups of four; shown once. */
  readonly recoveryCodes: readonly string[];
  readonly recoveryDigests: string[];
}

export function newRecoveryCodes(): RecoveryCodes {
  const plain = Array.from({ length: CODES }, () => new Secret({ size: CODE_BYTES }).base32);
  return {
    recoveryCodes: plain.map((code) => code.replaceAll(/.{4}(?=.)/g, '$&-')),
    recoveryDigests: plain.map(secretDigest),
  };
}

/** The codes that are left when this one is used; null if it is none of them. */
export function withoutRecoveryCode(digests: readonly string[], typed: string): string[] | null {
  const plain = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  if (!FORM.test(plain)) return null;
  const used = secretDigest(plain);
  const left = digests.filter((digest) => digest !== used);
  return left.length < digests.length ? left : null;
}
