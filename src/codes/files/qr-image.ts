import { crc32, deflateSync } from 'node:zlib';
import { encodeQR } from 'qr';

export const QR_FORMATS = ['SVG', 'PNG'] as const;
export type QrFormat = (typeof QR_FORMATS)[number];

/** The quiet zone that ISO/IEC 18004 asks for, in modules. */
const BORDER = 4;
const PIXELS_PER_MODULE = 8;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A QR code as a picture, at level M: it can be read with a seventh of it damaged. */
export function qrImage(text: string, format: QrFormat): string | Buffer {
  return format === 'SVG' ? qrSvg(text) : qrPng(text);
}

export function qrSvg(text: string): string {
  return encodeQR(text, 'svg', { ecc: 'medium', border: BORDER });
}

/** One bit a pixel. The library draws no PNG, and those that do take a hundred times as long. */
export function qrPng(text: string): Buffer {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: BORDER });
  const size = modules.length * PIXELS_PER_MODULE;
  const rows = modules.flatMap((row) => Array.from({ length: PIXELS_PER_MODULE }, () => bitsOf(row)));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // One bit of grey; compression, filter and interlace are 0.
  header[8] = 1;
  return Buffer.concat([
    PNG_SIGNATURE,
    chunkOf('IHDR', header),
    chunkOf('IDAT', deflateSync(Buffer.concat(rows))),
    chunkOf('IEND', Buffer.alloc(0)),
  ]);
}

/** A line of pixels behind its filter type. A module is a byte wide, and light is 1. */
function bitsOf(row: readonly boolean[]): Buffer {
  return Buffer.from([0, ...row.map((isDark) => (isDark ? 0x00 : 0xff))]);
}

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
