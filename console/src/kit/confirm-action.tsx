import { Alert, Button, Group, Modal, Stack, Text, TextInput, type ButtonProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useState, type ReactNode } from 'react';
import { messageOf } from '../api/failure';

interface ConfirmActionProps {
  /** On the button of the page, and on the one that confirms. */
  readonly label: string;
  /** The accessible name of the button, where the label stands in each row of a list. */
  readonly name?: string;
  readonly icon?: ReactNode;
  /** What will happen, to whom, and whether it can be undone. */
  readonly says: ReactNode;
  /** Of an action that cannot be undone: the text that has to be typed first, such as the name. */
  readonly typed?: string;
  readonly isDangerous?: boolean;
  readonly run: () => Promise<unknown>;
  /** What is said when it is done. */
  readonly done: string;
  readonly button?: ButtonProps;
}

/** A button whose action is told in words before it is done. */
export function ConfirmAction(props: ConfirmActionProps) {
  const [isOpen, { open, close }] = useDisclosure();
  const { label, name, icon, button } = props;
  return (
    <>
      <Button variant="default" leftSection={icon} {...button} aria-label={name} onClick={open}>
        {label}
      </Button>
      {isOpen && <Confirmation {...props} onClose={close} />}
    </>
  );
}

function Confirmation({
  label,
  says,
  typed,
  isDangerous,
  run,
  done,
  onClose,
}: ConfirmActionProps & { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const [failure, setFailure] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    try {
      await run();
      notifications.show({ message: done });
      onClose();
    } catch (error) {
      setFailure(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={label}>
      <form
        aria-label={label}
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        <Stack gap="sm">
          <Text size="sm" component="div">
            {says}
          </Text>
          {typed !== undefined && (
            <TextInput
              label={`Type “${typed}” to confirm`}
              value={text}
              data-autofocus
              autoComplete="off"
              onChange={({ currentTarget }) => setText(currentTarget.value)}
            />
          )}
          {failure !== null && (
            <Alert color="red" role="alert">
              {failure}
            </Alert>
          )}
          <Group justify="flex-end" mt="sm">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={isBusy}
              disabled={typed !== undefined && text.trim() !== typed}
              {...(isDangerous === true && { color: 'red.9' })}
            >
              {label}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
