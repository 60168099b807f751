import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { save } from '../api/download';
import { countText } from './format';

interface CodesModalProps {
  readonly codes: readonly string[];
  /** Whether they can be read again, and where. */
  readonly children: ReactNode;
  readonly onClose: () => void;
}

/** Codes that an action has made or handed out, to be copied or saved. */
export function CodesModal({ codes, children, onClose }: CodesModalProps) {
  const text = codes.join('\n');
  const { copy, copied } = useClipboard();
  return (
    <Modal
      opened
      onClose={onClose}
      title={codes.length === 1 ? '1 code' : `${countText(codes.length)} codes`}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack gap="sm">
        <Text size="sm">{children}</Text>
        <Textarea aria-label="Codes" value={text} readOnly autosize minRows={4} maxRows={12} data-autofocus />
        <Group justify="flex-end">
          <Button variant="default" onClick={() => copy(text)}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
          <Button
            variant="default"
            onClick={() => save(new Blob([`${text}\n`], { type: 'text/plain' }), 'codes.txt')}
          >
            Save as a file
          </Button>
          <Button onClick={onClose}>I have them</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
