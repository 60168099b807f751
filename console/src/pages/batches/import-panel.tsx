import { Alert, Button, FileInput, Group, Loader, Text } from '@mantine/core';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { messageOf } from '../../api/failure';
import { queryClient } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, None, TimeCell } from '../../kit/cells';
import { Facts } from '../../kit/detail-page';
import { DownloadButton } from '../../kit/download-button';
import { labelOf } from '../../kit/format';
import { PagedPanel } from '../../kit/paged-panel';
import { RefusedLinesDocument, type BatchQuery } from './batches.gql';
import { sendFile } from './import-form';

const EVERY_MS = 1000;

interface ImportProps {
  readonly codeImport: NonNullable<BatchQuery['codeImport']>;
}

/** What came of the lines of a file. */
export function ImportPanel({ codeImport }: ImportProps) {
  const { id, refusal, finishedAt, linesDone, imported, refused } = codeImport;
  return (
    <>
      <Facts
        title="Import"
        facts={[
          [
            'State',
            finishedAt !== null ? (
              'finished'
            ) : refusal === null ? (
              <Group gap="xs">
                <Loader size="xs" aria-hidden /> under way
              </Group>
            ) : (
              'stopped'
            ),
          ],
          ['Lines done', <CountCell value={linesDone} />],
          ['Codes taken', <CountCell value={imported} />],
          ['Lines refused', <CountCell value={refused} />],
          ['Finished', <TimeCell value={finishedAt} />],
          ['Stopped by', refusal === null ? <None /> : labelOf(refusal)],
        ]}
      />
      {finishedAt === null && refusal !== null && <Stopped codeImport={codeImport} />}
      {refused > 0 && <RefusedLines id={id} isOver={finishedAt !== null} />}
    </>
  );
}

function Stopped({ codeImport: { id, refusal } }: ImportProps) {
  const [failure, setFailure] = useState<string | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const send = async (chosen: File): Promise<void> => {
    setFailure(null);
    try {
      await sendFile(id, chosen, () => undefined);
      await queryClient.invalidateQueries();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <Alert color="yellow" role="status" title="The import has stopped">
      <Text size="sm">
        {refusal === 'IMPORT_FILE_MISSING'
          ? 'Send the same file again: the import continues behind the lines that are done.'
          : 'Remove the reason, then import the same file into the same campaign again: it continues behind the lines that are done. Cancel the batch to give its codes up.'}
      </Text>
      {refusal === 'IMPORT_FILE_MISSING' && (
        <Can permission="CHANGE">
          <Group mt="sm" align="flex-end">
            <FileInput
              label="The same file"
              placeholder="Choose a file"
              value={file}
              onChange={setFile}
              w={260}
            />
            <Button disabled={file === null} onClick={() => file !== null && void send(file)}>
              Send it again
            </Button>
          </Group>
        </Can>
      )}
      {failure !== null && (
        <Text size="sm" mt="sm" role="alert">
          {failure}
        </Text>
      )}
    </Alert>
  );
}

/** The texts of refused lines are not kept, because they may be codes. */
function RefusedLines({ id, isOver }: { readonly id: string; readonly isOver: boolean }) {
  return (
    <PagedPanel
      title="Refused lines"
      operation={RefusedLinesDocument}
      given={{ id }}
      {...(!isOver && { everyMs: EVERY_MS })}
      list={({ codeImport }) => codeImport?.refusedLines ?? null}
      heads={['Line', 'Reason']}
      row={({ line, reason }) => ({
        key: String(line),
        cells: [<CountCell value={line} />, reason],
      })}
      aside={
        <DownloadButton
          label="Save as CSV"
          icon={<Download size={16} aria-hidden />}
          path={`/api/imports/${id}/refused.csv`}
          fileName="refused.csv"
          button={{ size: 'xs' }}
        />
      }
    />
  );
}
