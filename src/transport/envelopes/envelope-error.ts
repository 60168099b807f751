import { GraphQLError } from 'graphql';

/** Why an encrypted request is refused, in order of precedence; only device traffic is answered so. */
export type EnvelopeRefusal =
  | 'SECRET_IS_EMPTY'
  | 'INVALID_CIPHERTEXT'
  | 'ENVELOPE_EXPIRED'
  | 'ENVELOPE_REPLAYED';

/** One message a code: an answer must not say which part of a message was wrong. */
const MESSAGES: Record<EnvelopeRefusal, string> = {
  SECRET_IS_EMPTY: 'This tenant has no secret for encrypted transmission, or has switched it off.',
  INVALID_CIPHERTEXT:
    'The body is not an envelope that this server can open for this request. Send x-encryption: v2 and an envelope by POST; v1 only where globalConfig names a key for it.',
  ENVELOPE_EXPIRED:
    'The envelope was sealed too long ago, by a clock that is wrong, or for another epoch. Seal the request again, with serverTimeMs and epoch of this answer.',
  ENVELOPE_REPLAYED: 'This envelope was used before. Seal each request in an envelope of its own.',
};
const STATUS: Record<EnvelopeRefusal, number> = {
  SECRET_IS_EMPTY: 400,
  INVALID_CIPHERTEXT: 400,
  ENVELOPE_EXPIRED: 400,
  ENVELOPE_REPLAYED: 409,
};

export function envelopeError(
  code: EnvelopeRefusal,
  further: Readonly<Record<string, unknown>> = {},
): GraphQLError {
  return new GraphQLError(MESSAGES[code], {
    extensions: { code, ...further, http: { status: STATUS[code] } },
  });
}
