import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Option } from '@commander-js/extra-typings';
import type { ExportScope } from '../codes/files/code-export.service.js';
import type { CodeImport } from '../codes/files/code-import.entity.js';
import { isQrTemplate, qrSheet, qrZip, TEMPLATE_LENGTH_MAX } from '../codes/files/qr-files.js';
import { QR_FORMATS } from '../codes/files/qr-image.js';
import { systemClock } from '../platform/clock.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { externalId } from './arguments.js';
import { openNew } from './code-sink.js';
import { CliError } from './failures.js';
import { print, sayOnStderr } from './output.js';
import { printRow } from './rows.js';
import { fields } from './table.js';

const SHEET = 'SHEET';
const IMPORT_COLUMNS = fields<CodeImport>(
  'id',
  'campaignId',
  'linesDone',
  'imported',
  'refused',
  'finishedAt',
);

/** Codes as files: import, export, and pictures. */
export function addCodesFiles(group: Bare): void {
  addImport(group);
  addExport(group);
  addQr(group);
}

function addImport(group: Bare): void {
  addAction(group, {
    name: 'import',
    description:
      'Take codes of another system from CSV. The same call again continues where it was interrupted.',
    example:
      'codes import --tenant CH_123 --campaign 7312345678901234 --file codes.csv --key may --report refused.csv',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--campaign <id>', 'the campaign')
        .requiredOption('--file <file>', 'columns code, use_limit, starts_at, expires_at, external_user_id')
        .requiredOption('--key <key>', 'idempotency key of this file', externalId)
        .option('--report <file>', 'a new file for the refused lines')
        .option('--json', 'print JSON'),
    prepare: async ({ file }) => assertFile(file),
    run: async ({ codeImports, codeExports }, { tenant, campaign, file, key, report }) => {
      const { id } = await codeImports.begin(tenant, { campaignId: campaign, idempotencyKey: key });
      const shown = process.stderr.isTTY;
      const done = await codeImports.run(tenant, id, createReadStream(file), {
        onPage: ({ linesDone, imported }) => {
          if (shown) process.stderr.write(`\r${linesDone} lines, ${imported} codes`);
        },
      });
      if (shown) process.stderr.write('\n');
      if (report !== undefined) await writeOut(report, codeExports.refusedLines(tenant, id));
      return done;
    },
    print: async (done, options) => {
      if (done.refused > 0 && options.report === undefined)
        sayOnStderr(`${done.refused} lines were refused; --report <file> writes which, and why.`);
      await printRow(IMPORT_COLUMNS)(done, options);
    },
  });
}

function addExport(group: Bare): void {
  addAction(group, {
    name: 'export',
    description: 'Write the codes of a batch or a campaign as CSV. A HASHED campaign has no texts to write.',
    example: 'codes export --tenant CH_123 --batch 7312345678901234 --out codes.csv',
    options: (command) =>
      scoped(command).option('--out <file>', 'a new file, readable by its owner alone; else standard output'),
    prepare: async (options) => scopeOf(options),
    run: async ({ codeExports }, { tenant, out }, scope) =>
      writeOut(out, codeExports.csv(await codeExports.find(tenant, scope))),
    print: async () => undefined,
  });
}

function addQr(group: Bare): void {
  addAction(group, {
    name: 'qr',
    description:
      'Draw a QR code for each code of a batch or a campaign: a zip of pictures, or a page to print.',
    example: 'codes qr --tenant CH_123 --batch 7312345678901234 --format PNG --out codes.zip',
    options: (command) =>
      scoped(command)
        .addOption(
          new Option('--format <format>', 'pictures, or a sheet as HTML')
            .choices([...QR_FORMATS, SHEET] as const)
            .default('SVG' as const),
        )
        .option('--url <template>', 'what a picture says, with {code} for the code; else the code itself')
        .requiredOption('--out <file>', 'a new file, readable by its owner alone'),
    prepare: async (options) => {
      const { url } = options;
      if (url !== undefined && !isQrTemplate(url))
        throw new CliError(`--url has at most ${TEMPLATE_LENGTH_MAX} characters, and holds {code}.`);
      return scopeOf(options);
    },
    run: async ({ codeExports }, { tenant, out, format, url: template = null }, scope) => {
      const texts = codeExports.texts(await codeExports.find(tenant, scope));
      const madeAt = new Date(systemClock.nowMs());
      await writeOut(
        out,
        format === SHEET ? qrSheet(texts, template) : qrZip(texts, format, { template, madeAt }),
      );
    },
    print: async () => undefined,
  });
}

const scoped = (command: Bare) =>
  ofTenant(command)
    .option('--batch <id>', 'the batch')
    .option('--campaign <id>', 'the campaign; either this or a batch');

async function scopeOf({
  batch,
  campaign,
}: {
  readonly batch?: string | undefined;
  readonly campaign?: string | undefined;
}): Promise<ExportScope> {
  if (batch !== undefined && campaign === undefined) return { batchId: batch };
  if (campaign !== undefined && batch === undefined) return { campaignId: campaign };
  throw new CliError('Give --batch <id> or --campaign <id>.');
}

async function assertFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isFile() !== true) throw new CliError(`${file} cannot be read.`);
}

/** Into a new file, or to standard output. */
export async function writeOut(
  file: string | undefined,
  parts: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  if (file === undefined) {
    for await (const part of parts) await print(String(part));
    return;
  }
  await pipeline(Readable.from(parts), createWriteStream(file, { fd: await openNew(file) }));
}
