import { makeZip } from 'client-zip';
import { qrImage, qrSvg, type QrFormat } from './qr-image.js';

/** What a picture says: the code alone, or an address that holds it. */
const CODE_PLACE = '{code}';
/** More, with the code in each place, would not fit into a picture. */
export const TEMPLATE_LENGTH_MAX = 200;

/** Whether pictures can be drawn from a template, and differ from code to code. */
export function isQrTemplate(template: string): boolean {
  return template.length <= TEMPLATE_LENGTH_MAX && template.includes(CODE_PLACE);
}

/** Says what a code's picture holds. `https://shop.example/r?code={code}` opens a page; null takes the code itself. */
export function qrText(code: string, template: string | null): string {
  return template === null ? code : template.replaceAll(CODE_PLACE, encodeURIComponent(code));
}

/** A zip with a picture for each code, made as it is read: memory holds one of them. */
export async function* qrZip(
  codes: AsyncIterable<string>,
  format: QrFormat,
  { template, madeAt }: { readonly template: string | null; readonly madeAt: Date },
): AsyncGenerator<Uint8Array> {
  async function* files() {
    for await (const code of codes) {
      const name = `${code}.${format.toLowerCase()}`;
      yield { name, input: qrImage(qrText(code, template), format), lastModified: madeAt };
    }
  }
  const reader = makeZip(files()).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // The library tells the source by an error that a reader has gone, and fails with it.
    await reader.cancel().catch(() => undefined);
  }
}

const SHEET_HEAD = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Codes</title><style>
@page { size: A4; margin: 10mm }
body { margin: 0; display: grid; grid-template-columns: repeat(4, 1fr); gap: 4mm; font: 9pt monospace }
figure { margin: 0; text-align: center; break-inside: avoid }
svg { width: 36mm; height: 36mm }
</style></head><body>
`;

/** A page that a browser prints, four codes a row, each with its text below. */
export async function* qrSheet(
  codes: AsyncIterable<string>,
  template: string | null,
): AsyncGenerator<string> {
  yield SHEET_HEAD;
  // A code holds letters, digits and hyphens only, so it means nothing to HTML.
  for await (const code of codes)
    yield `<figure>${qrSvg(qrText(code, template))}<figcaption>${code}</figcaption></figure>\n`;
  yield '</body></html>\n';
}
