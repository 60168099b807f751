import { z } from 'zod';
import type { RouteAbout } from '../../graphql/http-route.js';

const CSV = 'text/csv';
const HTML = 'text/html';
const NOT_FOUND = 404;

const id = (of: string) => z.object({ id: z.string().meta({ description: `The id of the ${of}.` }) });
const scope = z.object({
  batchId: z.string().optional().meta({ description: 'The codes of this batch. Give this or campaignId.' }),
  campaignId: z.string().optional().meta({ description: 'The codes of this campaign.' }),
});
const template = z.object({
  url: z.string().optional().meta({ description: 'What a picture says: an address that holds {code}.' }),
});
const EXPORT_REFUSALS = {
  EXPORT_SCOPE_REQUIRED: 400,
  EXPORT_SCOPE_NOT_FOUND: NOT_FOUND,
  URL_NOT_ALLOWED: 400,
};

const file = (description: string, contentType: string) => ({ 200: { description, contentType } });

export const UPLOAD: RouteAbout = {
  id: 'uploadImport',
  summary: 'Sends the file of an import that `importCodes` has made.',
  path: id('import'),
  takes: { kind: 'FILE' },
  answers: {
    202: {
      description: 'All of it is stored; a worker imports it.',
      contentType: 'application/json',
      schema: z.object({ importId: z.string(), status: z.literal('ACCEPTED') }),
    },
  },
  refusals: { IMPORT_NOT_FOUND: NOT_FOUND, IMPORT_HAS_FILE: 409, IMPORT_FILE_TOO_LARGE: 413 },
};

export const REFUSED_LINES: RouteAbout = {
  id: 'refusedLines',
  summary: 'The refused lines of an import, and why.',
  path: id('import'),
  answers: file('The refused lines.', CSV),
  refusals: { IMPORT_NOT_FOUND: NOT_FOUND },
};

export const CODES_CSV: RouteAbout = {
  id: 'exportCodes',
  summary: 'Codes as CSV.',
  query: scope.extend(template.shape),
  answers: file('The codes.', CSV),
  refusals: EXPORT_REFUSALS,
};

export const QR_ZIP: RouteAbout = {
  id: 'exportQrZip',
  summary: 'A QR picture of each code.',
  query: scope.extend(template.shape).extend({
    format: z.string().optional().meta({ description: 'SVG or PNG; missing means SVG.' }),
  }),
  answers: file('The pictures.', 'application/zip'),
  refusals: { ...EXPORT_REFUSALS, FORMAT_UNKNOWN: 400 },
};

export const QR_SHEET: RouteAbout = {
  id: 'exportQrSheet',
  summary: 'A sheet of QR pictures to print.',
  query: scope.extend(template.shape),
  answers: file('The sheet.', HTML),
  refusals: EXPORT_REFUSALS,
};

export const qrPicture = (format: string, contentType: string): RouteAbout => ({
  id: `codeQr${format}`,
  summary: `The QR picture of one code, as ${format}.`,
  path: id('code'),
  query: template,
  answers: file('The picture.', contentType),
  refusals: { CODE_NOT_FOUND: NOT_FOUND, CODE_TEXT_NOT_STORED: 400, URL_NOT_ALLOWED: 400 },
});
