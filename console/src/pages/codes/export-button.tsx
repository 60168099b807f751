import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { download } from '../../api/download';
import { messageOf } from '../../api/failure';
import { Can } from '../../kit/can';

/** Saves the codes of a campaign or batch as CSV. */
export function ExportButton({
  campaignId,
  batchId,
}: {
  readonly campaignId: string | undefined;
  readonly batchId: string | undefined;
}) {
  const [isBusy, setBusy] = useState(false);
  if (campaignId === undefined && batchId === undefined) return null;
  const parameters = new URLSearchParams({
    ...(campaignId !== undefined && { campaignId }),
    ...(batchId !== undefined && { batchId }),
  });
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      await download(`/api/codes.csv?${parameters}`, 'codes.csv');
    } catch (error) {
      notifications.show({ message: messageOf(error), color: 'red' });
    }
    setBusy(false);
  };
  return (
    <Can permission="CHANGE">
      <Button
        variant="default"
        loading={isBusy}
        leftSection={<Download size={16} aria-hidden />}
        onClick={() => void save()}
      >
        Save as CSV
      </Button>
    </Can>
  );
}
