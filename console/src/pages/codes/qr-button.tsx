import { Button, Group, Image, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { QrCode } from 'lucide-react';
import { fetchFile } from '../../api/download';
import { messageOf } from '../../api/failure';
import { Can } from '../../kit/can';
import { DownloadButton } from '../../kit/download-button';

interface QrButtonProps {
  readonly codeId: string;
  readonly code: string;
}

/** The QR picture of a code, on demand: the audit log notes each look. */
export function QrButton({ codeId, code }: QrButtonProps) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <Can permission="CHANGE">
      <Button variant="default" leftSection={<QrCode size={16} aria-hidden />} onClick={open}>
        QR code
      </Button>
      {isOpen && (
        <Modal opened onClose={close} title={`QR code of ${code}`}>
          <Picture codeId={codeId} code={code} />
        </Modal>
      )}
    </Can>
  );
}

function Picture({ codeId, code }: QrButtonProps) {
  const path = `/api/codes/${codeId}/qr`;
  const { data, error } = useQuery({
    queryKey: ['qr', codeId],
    staleTime: Infinity,
    queryFn: async () => (await fetchFile(`${path}.svg`)).text(),
  });
  return (
    <Stack>
      {error !== null && <Text role="alert">{messageOf(error)}</Text>}
      {data !== undefined && (
        <Image
          src={`data:image/svg+xml,${encodeURIComponent(data)}`}
          alt={`QR code that says ${code}`}
          w={240}
          mx="auto"
          bg="white"
        />
      )}
      <Group justify="flex-end">
        <DownloadButton label="Save as SVG" path={`${path}.svg`} fileName={`${code}.svg`} />
        <DownloadButton label="Save as PNG" path={`${path}.png`} fileName={`${code}.png`} />
      </Group>
    </Stack>
  );
}
