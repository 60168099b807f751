import { Button, Menu } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Can } from '../../kit/can';
import { CodesModal } from '../../kit/codes-modal';
import { ChosenCodesForm } from './chosen-codes-form';
import { GenerateForm } from './generate-form';
import { ImportForm } from './import-form';

interface Made {
  readonly batchId: string;
  readonly codes: readonly string[];
}

const FORMS = { generate: GenerateForm, chosen: ChosenCodesForm, import: ImportForm };

/** The ways to give a campaign codes. Each leads to the new batch. */
export function AddCodesMenu({ campaignId = '' }: { readonly campaignId?: string | undefined }) {
  const [shown, show] = useState<keyof typeof FORMS | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const navigate = useNavigate();
  const open = async (id: string): Promise<void> => navigate({ to: '/batches/$id', params: { id } });
  const Form = shown === null ? null : FORMS[shown];
  return (
    <Can permission="CHANGE">
      <Menu>
        <Menu.Target>
          <Button leftSection={<Plus size={16} aria-hidden />}>Add codes</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => show('generate')}>Generate codes</Menu.Item>
          <Menu.Item onClick={() => show('chosen')}>Codes of your own choice</Menu.Item>
          <Menu.Item onClick={() => show('import')}>Import a CSV file</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {Form !== null && (
        <Form
          campaignId={campaignId}
          onClose={() => show(null)}
          onBatch={(batchId, codes) => {
            if (codes === null) void open(batchId);
            else setMade({ batchId, codes });
          }}
        />
      )}
      {made !== null && (
        <CodesModal codes={made.codes} onClose={() => void open(made.batchId)}>
          The campaign stores digests of its codes, not their texts. Copy or save the codes now: they cannot
          be shown again.
        </CodesModal>
      )}
    </Can>
  );
}
