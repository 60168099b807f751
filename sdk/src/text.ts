/** UTF-8 and base64 in plain code: mini programs have neither TextEncoder nor atob. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function bytesOf(text: string): Uint8Array {
  const escaped = encodeURIComponent(text);
  const bytes: number[] = [];
  for (let at = 0; at < escaped.length; at += 1) {
    if (escaped[at] === '%') {
      bytes.push(Number.parseInt(escaped.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(escaped.charCodeAt(at));
  }
  return Uint8Array.from(bytes);
}

/** @throws URIError where the bytes are no UTF-8 */
export function textOf(bytes: Uint8Array): string {
  let escaped = '';
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  return decodeURIComponent(escaped);
}

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const bits = (a << 16) | (b << 8) | c;
    for (const shift of [18, 12, 6, 0]) text += ALPHABET[(bits >> shift) & 63];
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  return missing === 0 ? text : text.slice(0, -missing) + '='.repeat(missing);
}

export const base64UrlOf = (bytes: Uint8Array): string =>
  base64Of(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

/** Of either alphabet, with or without padding. */
export function bytesOfBase64(text: string): Uint8Array {
  const bare = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((bare.length * 3) / 4));
  let bits = 0;
  let at = 0;
  for (let index = 0; index < bare.length; index += 1) {
    bits = ((bits << 6) | ALPHABET.indexOf(bare.charAt(index))) & 0xff_ff_ff;
    if (index % 4 > 0) {
      bytes[at] = (bits >> (6 - 2 * (index % 4))) & 255;
      at += 1;
    }
  }
  return bytes;
}

export const textOfBase64 = (text: string): string => textOf(bytesOfBase64(text));
