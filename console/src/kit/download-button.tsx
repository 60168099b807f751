import { Button, type ButtonProps } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState, type ReactNode } from 'react';
import { download } from '../api/download';
import { messageOf } from '../api/failure';

interface DownloadButtonProps {
  readonly label: string;
  readonly icon?: ReactNode;
  readonly path: string;
  readonly fileName: string;
  readonly button?: ButtonProps;
}

/** Saves a file of the server. */
export function DownloadButton({ label, icon, path, fileName, button }: DownloadButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await download(path, fileName);
    } catch (error) {
      notifications.show({ message: messageOf(error), color: 'red' });
    }
    setBusy(false);
  };
  return (
    <Button variant="default" loading={isBusy} leftSection={icon} {...button} onClick={() => void run()}>
      {label}
    </Button>
  );
}
