import { FileInput, Progress } from '@mantine/core';
import { useState } from 'react';
import { Refusal } from '../../api/failure';
import { useAction } from '../../api/queries';
import { uploadCsv } from '../../api/upload';
import { FormModal } from '../../kit/form-modal';
import type { AddCodesFormProps } from './add-codes-form';
import { ImportCodesDocument } from './batches.gql';
import { CampaignSelect, chooseCampaign } from './campaign-select';

const NAME_IN_KEY = 24;

interface Values extends Record<string, unknown> {
  readonly campaignId: string;
  readonly file: File | null;
}

/** The same file names the same import, so one that was chosen again is continued and not taken twice. */
const keyOf = ({ name, size, lastModified }: File): string =>
  `csv-${size}-${lastModified}-${encodeURIComponent(name).slice(-NAME_IN_KEY)}`;

/** Codes of another system, from a file. */
export function ImportForm({ campaignId, onClose, onBatch }: AddCodesFormProps) {
  const begin = useAction(ImportCodesDocument);
  const [part, setPart] = useState<number | null>(null);
  const submit = async ({ campaignId: id, file }: Values): Promise<void> => {
    if (file === null) return;
    const { codeImport } = await begin.mutateAsync({
      input: { campaignId: id, idempotencyKey: keyOf(file) },
    });
    if (codeImport === null) return;
    try {
      if (codeImport.finishedAt === null) await sendFile(codeImport.id, file, setPart);
    } finally {
      setPart(null);
    }
    onBatch(codeImport.id, null);
  };
  return (
    <FormModal<Values>
      title="Import codes"
      initialValues={{ campaignId, file: null }}
      validate={{
        campaignId: chooseCampaign,
        file: (file) => (file === null ? 'Choose the file.' : null),
      }}
      submit={submit}
      submitLabel="Import"
      onClose={onClose}
    >
      {(form) => (
        <>
          {campaignId === '' && <CampaignSelect input={form.getInputProps('campaignId')} />}
          <FileInput
            label="CSV file"
            description="A column named code; use_limit, starts_at, expires_at and external_user_id if you like. A file of codes alone needs no first line."
            placeholder="Choose a file"
            accept=".csv,.txt,text/csv,text/plain"
            required
            {...form.getInputProps('file')}
          />
          {part !== null && (
            <Progress
              value={100 * part}
              aria-label={`${Math.round(100 * part)} % of the file sent`}
              animated
            />
          )}
        </>
      )}
    </FormModal>
  );
}

/** A file that the server has already is not sent again. */
export async function sendFile(importId: string, file: File, onPart: (part: number) => void): Promise<void> {
  try {
    await uploadCsv(`/api/imports/${importId}`, file, onPart);
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'IMPORT_HAS_FILE')) throw error;
  }
}
