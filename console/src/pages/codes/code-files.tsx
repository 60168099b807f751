import { Select, TextInput } from '@mantine/core';
import { Download, QrCode } from 'lucide-react';
import { download } from '../../api/download';
import { Can } from '../../kit/can';
import { DownloadButton } from '../../kit/download-button';
import { FormButton } from '../../kit/form-button';
import { FormModal } from '../../kit/form-modal';

/** Codes of a batch, or of a campaign. */
export type CodesOf = { readonly batchId: string } | { readonly campaignId: string };

/** What codes can be saved as: whole codes leave, which the audit log notes. */
export function CodeFiles({ of }: { readonly of: CodesOf }) {
  return (
    <Can permission="CHANGE">
      <DownloadButton
        label="Save as CSV"
        icon={<Download size={16} aria-hidden />}
        path={`/api/codes.csv?${new URLSearchParams({ ...of })}`}
        fileName="codes.csv"
      />
      <FormButton
        label="QR codes"
        icon={<QrCode size={16} aria-hidden />}
        button={{ variant: 'default' }}
        form={(close) => <QrForm of={of} onClose={close} />}
      />
    </Can>
  );
}

const KINDS = {
  SHEET: { label: 'A sheet to print', path: '/api/codes.qr.html', format: null, fileName: 'codes.html' },
  SVG: { label: 'A zip of SVG pictures', path: '/api/codes.qr.zip', format: 'SVG', fileName: 'codes.zip' },
  PNG: { label: 'A zip of PNG pictures', path: '/api/codes.qr.zip', format: 'PNG', fileName: 'codes.zip' },
} as const;

function QrForm({ of, onClose }: { readonly of: CodesOf; readonly onClose: () => void }) {
  const submit = async ({ kind, url }: { kind: string; url: string }): Promise<void> => {
    const { path, format, fileName } = KINDS[kind as keyof typeof KINDS];
    const parameters = new URLSearchParams({
      ...of,
      ...(format !== null && { format }),
      ...(url.trim() !== '' && { url: url.trim() }),
    });
    await download(`${path}?${parameters}`, fileName);
  };
  return (
    <FormModal
      title="QR codes"
      initialValues={{ kind: 'SHEET', url: '' }}
      validate={{
        url: (url) =>
          url.trim() === '' || url.includes('{code}') ? null : 'Write {code} where the code belongs.',
      }}
      submit={submit}
      submitLabel="Save"
      done="The file is saved."
      onClose={onClose}
    >
      {(form) => (
        <>
          <Select
            label="As"
            allowDeselect={false}
            data={Object.entries(KINDS).map(([value, { label }]) => ({ value, label }))}
            {...form.getInputProps('kind')}
          />
          <TextInput
            label="Address that a picture opens"
            description="With {code} where the code belongs, such as https://shop.example/r?code={code}. Empty: the code alone."
            placeholder="the code alone"
            {...form.getInputProps('url')}
          />
        </>
      )}
    </FormModal>
  );
}
