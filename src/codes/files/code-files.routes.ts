import { requireStaff } from '../../graphql/auth.js';
import type { HttpRoute, RouteAbout, RouteAnswer, RouteRequest } from '../../graphql/http-route.js';
import { DomainError } from '../../platform/errors.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { Clock } from '../../platform/clock.js';
import type { CodeReader } from '../code-reader.service.js';
import { CODES_CSV, QR_SHEET, QR_ZIP, qrPicture, REFUSED_LINES, UPLOAD } from './code-files.types.js';
import type { CodeExportService, ExportedBatches } from './code-export.service.js';
import type { CodeImportJobs } from './code-import.jobs.js';
import type { CodeImportService } from './code-import.service.js';
import type { ImportUploadService } from './import-upload.service.js';
import { isQrTemplate, qrSheet, qrText, qrZip, TEMPLATE_LENGTH_MAX } from './qr-files.js';
import { qrImage, type QrFormat } from './qr-image.js';

const CSV = 'text/csv; charset=utf-8';
const PICTURES: Readonly<Record<QrFormat, string>> = { SVG: 'image/svg+xml', PNG: 'image/png' };

interface FileParts {
  readonly exports: CodeExportService;
  readonly imports: CodeImportService;
  readonly uploads: ImportUploadService;
  readonly jobs: CodeImportJobs;
  readonly reader: CodeReader;
  readonly transactions: Pick<Transactions, 'recordOperation'>;
  readonly clock: Clock;
}

/** Codes as files over HTTP, for staff. */
export function codeFileRoutes(its: FileParts): HttpRoute[] {
  return [
    {
      method: 'PUT',
      path: '/api/imports/:id',
      about: UPLOAD,
      answer: async (request) => upload(its, request),
    },
    get('/api/imports/:id/refused.csv', REFUSED_LINES, async ({ context, params }) => {
      const { tenantId } = requireStaff(context);
      const found = await its.imports.find(tenantId, params['id'] ?? '');
      if (found === null) return refuse('IMPORT_NOT_FOUND', 'The tenant has no import with this id.');
      return {
        contentType: CSV,
        fileName: 'refused.csv',
        body: its.exports.refusedLines(tenantId, found.id),
      };
    }),
    get('/api/codes.csv', CODES_CSV, async (request) => {
      const { exported } = await asked(its, request);
      return { contentType: CSV, fileName: 'codes.csv', body: its.exports.csv(exported) };
    }),
    get('/api/codes.qr.zip', QR_ZIP, async (request) => zip(its, request)),
    get('/api/codes.qr.html', QR_SHEET, async (request) => {
      const { exported, template } = await asked(its, request);
      const body = qrSheet(its.exports.texts(exported), template);
      return { contentType: 'text/html; charset=utf-8', body };
    }),
    get('/api/codes/:id/qr.svg', qrPicture('SVG', PICTURES.SVG), async (request) =>
      picture(its, request, 'SVG'),
    ),
    get('/api/codes/:id/qr.png', qrPicture('PNG', PICTURES.PNG), async (request) =>
      picture(its, request, 'PNG'),
    ),
  ];
}

async function upload({ uploads, jobs }: FileParts, request: RouteRequest): Promise<RouteAnswer> {
  const { tenantId } = requireStaff(request.context);
  const stored = await uploads.store(tenantId, request.params['id'] ?? '', request.body);
  await jobs.enqueue(stored);
  const body = JSON.stringify({ importId: stored.id, status: 'ACCEPTED' });
  return { status: 202, contentType: 'application/json; charset=utf-8', body };
}

async function zip(its: FileParts, request: RouteRequest): Promise<RouteAnswer> {
  const { exported, template } = await asked(its, request);
  const format = (request.query['format'] ?? 'SVG').toUpperCase();
  if (format !== 'SVG' && format !== 'PNG') return refuse('FORMAT_UNKNOWN', 'The format is SVG or PNG.');
  const madeAt = new Date(its.clock.nowMs());
  const body = qrZip(its.exports.texts(exported), format, { template, madeAt });
  return { contentType: 'application/zip', fileName: 'codes.zip', body };
}

async function picture(
  { reader, transactions }: FileParts,
  request: RouteRequest,
  format: QrFormat,
): Promise<RouteAnswer> {
  const { tenantId } = requireStaff(request.context);
  const code = await reader.code(tenantId, request.params['id'] ?? '');
  if (code === null) return refuse('CODE_NOT_FOUND', 'The tenant has no code with this id.');
  if (!code.codeText) return refuse('CODE_TEXT_NOT_STORED', 'The campaign of this code stores no texts.');
  const text = qrText(code.codeText, templateOf(request));
  await transactions.recordOperation(tenantId, { type: 'code', id: code.id });
  return { contentType: PICTURES[format], body: qrImage(text, format) };
}

/** Whole codes leave, so an AUDITOR may not ask. All that can be refused is, before the first byte is sent. */
async function asked(
  { exports }: FileParts,
  request: RouteRequest,
): Promise<{ readonly exported: ExportedBatches; readonly template: string | null }> {
  const { tenantId } = requireStaff(request.context);
  const { batchId, campaignId } = request.query;
  if ((batchId === undefined) === (campaignId === undefined))
    return refuse('EXPORT_SCOPE_REQUIRED', 'Give batchId or campaignId.');
  const template = templateOf(request);
  const scope = batchId === undefined ? { campaignId: campaignId ?? '' } : { batchId };
  return { exported: await exports.find(tenantId, scope), template };
}

function templateOf({ query }: RouteRequest): string | null {
  const { url } = query;
  if (url === undefined) return null;
  if (isQrTemplate(url)) return url;
  return refuse(
    'URL_NOT_ALLOWED',
    `The url has at most ${TEMPLATE_LENGTH_MAX} characters, and holds {code}.`,
  );
}

function get(path: string, about: RouteAbout, answer: HttpRoute['answer']): HttpRoute {
  return { method: 'GET', path, about, answer };
}

function refuse(code: string, message: string): never {
  throw new DomainError(code, message);
}
