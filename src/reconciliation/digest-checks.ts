import type { CodeRecognizer } from '../codes/code-recognizer.service.js';
import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'DIGEST_DIFFERS',
    invariant: 'I3',
    means:
      'The digest of the code is not that of its text, so a user who types it is answered CODE_NOT_FOUND.',
    remedy: 'Find out which pepper made it, and set CODE_PEPPER_PREVIOUS to it; or issue another code.',
  },
] as const satisfies readonly Check[];

interface DigestRow {
  readonly id: string;
  readonly text: string;
  readonly digest: string;
  readonly keyId: number;
}

const SELECT_DIGESTS = `select cast(id as char) as id, code_text as text, code_digest as digest, digest_key_id as keyId
    from code force index (primary) where tenant_id = ? and id in (?)`;

/** The digests of codes whose text is kept: made with another pepper, a code is never found. */
export class DigestChecks implements DatabaseChecks {
  readonly name = 'digests';
  readonly checks = CHECKS;

  constructor(
    private readonly rows: Rows,
    private readonly recognizer: Pick<CodeRecognizer, 'isDigestOf'>,
  ) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.pages(tenantId, {
      table: 'code',
      condition: 't.code_text is not null and t.deleted_at is null',
    });
  }

  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const rows = await this.rows.read<DigestRow>(tenantId, SELECT_DIGESTS, [ids]);
    return rows
      .filter(({ text, digest, keyId }) => !this.recognizer.isDigestOf(tenantId, text, digest, keyId))
      .map(({ id, keyId }) => finding('DIGEST_DIFFERS', id, { pepper: keyId }));
  }
}
