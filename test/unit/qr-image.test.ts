import { inflateSync } from 'node:zlib';
import { decodeQR } from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { isQrTemplate, qrSheet, qrText, qrZip, TEMPLATE_LENGTH_MAX } from '../../src/codes/files/qr-files.js';
import { qrImage, qrPng, qrSvg } from '../../src/codes/files/qr-image.js';

const CODES = ['ABCDEFGH23456789', 'SUMMER-AB23-CD45', '0123456789'];

async function* iterated(codes: readonly string[]): AsyncGenerator<string> {
  yield* codes;
}

/** The pixels of a PNG of one bit of grey, as RGBA. */
function pixelsOf(png: Buffer): { width: number; height: number; data: Uint8Array } {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const dataAt = png.indexOf('IDAT') + 4;
  const raw = inflateSync(png.subarray(dataAt, dataAt + png.readUInt32BE(dataAt - 8)));
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const byte = raw[y * (width / 8 + 1) + 1 + (x >> 3)] ?? 0;
      data.fill((byte >> (7 - (x & 7))) & 1 ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
      data[(y * width + x) * 4 + 3] = 255;
    }
  return { width, height, data };
}

describe('X.12 QR images', () => {
  it.each(CODES)('say the code to a reader: %s', (code) => {
    expect(decodeQR(pixelsOf(qrPng(code)))).toBe(code);
    expect(qrSvg(code)).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
  });

  it('say an address that holds the code', () => {
    const text = qrText('AB-12', 'https://shop.example/r?code={code}&x=1');
    expect(text).toBe('https://shop.example/r?code=AB-12&x=1');
    expect(decodeQR(pixelsOf(qrPng(text)))).toBe(text);
  });

  it('need a template that holds the code, and draw the longest one that is allowed', () => {
    const longest = '{code}'.repeat(Math.floor(TEMPLATE_LENGTH_MAX / '{code}'.length));
    expect(
      ['https://shop.example/', `${'x'.repeat(TEMPLATE_LENGTH_MAX)}{code}`].filter(isQrTemplate),
    ).toEqual([]);
    expect(isQrTemplate(longest)).toBe(true);
    expect(qrSvg(qrText('A'.repeat(40), longest))).toMatch(/^<svg /);
  });

  it('come as a zip with a file for each code', async () => {
    const parts: Uint8Array[] = [];
    const options = { template: null, madeAt: new Date(Date.UTC(2026, 0, 1)) };
    for await (const part of qrZip(iterated(CODES), 'PNG', options)) parts.push(part);
    const zip = Buffer.concat(parts);
    expect(zip.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
    for (const code of CODES) {
      expect(zip.includes(`${code}.png`)).toBe(true);
      // Pictures are compressed already, and stored as they are.
      expect(zip.includes(qrImage(code, 'PNG') as Buffer)).toBe(true);
    }
  });

  it('are made one after the other as the zip is read', async () => {
    let made = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        made += 1;
        yield `CODE${made}`;
      }
    }
    const options = { template: null, madeAt: new Date(Date.UTC(2026, 0, 1)) };
    let read = 0;
    for await (const part of qrZip(endless(), 'SVG', options)) {
      read += part.length > 0 ? 1 : 0;
      if (read === 30) break;
    }
    expect(made).toBeLessThan(40);
  });

  it('come as a sheet to be printed', async () => {
    let page = '';
    for await (const part of qrSheet(iterated(CODES), null)) page += part;
    expect(page.match(/<svg /g)).toHaveLength(3);
    for (const code of CODES) expect(page).toContain(`<figcaption>${code}</figcaption>`);
    expect(page.endsWith('</body></html>\n')).toBe(true);
  });
});
