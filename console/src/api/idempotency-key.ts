import { useRef } from 'react';

const BYTES = 16;

/** `crypto.randomUUID` is missing where the console is served without https. */
const freshKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(BYTES))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');

/**
 * A key for a mutation of a form: the same while the same input is sent again, as after a lost connection, so that the
 * server does it once; another one for another input.
 */
export function useIdempotencyKey(): (input: unknown) => string {
  const sent = useRef({ text: '', key: '' });
  return (input) => {
    const text = JSON.stringify(input);
    if (sent.current.text !== text) sent.current = { text, key: freshKey() };
    return sent.current.key;
  };
}
