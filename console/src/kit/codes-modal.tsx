import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { countText } from '../../kit/format';

export interface MadeCodes {
  readonly campaignId: string;
  readonly codes: readonly string[];
}

/** Codes that are stored as digests only: this is the one time that they can be read. */
export function NewCodes({
  codes,
  onClose,
}: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}) {
  const text = codes.join('\n');
  const { copy, copied } = useClipboard();
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${countText(codes.length)} new codes`}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack gap="sm">
        <Text size="sm">
          The campaign stores digests of its codes, not their texts. Copy or save the codes now: they cannot
          be shown again.
        </Text>
        <Textarea aria-label="Codes" value={text} readOnly autosize minRows={4} maxRows={12} data-autofocus />
        <Group justify="flex-end">
          <Button variant="default" onClick={() => copy(text)}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
          <Button variant="default" onClick={() => save(text)}>
            Save as a file
          </Button>
          <Button onClick={onClose}>I have them</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function save(text: string): void {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'codes.txt';
  link.click();
  URL.revokeObjectURL(url);
}
