import { notifications } from '@mantine/notifications';
import { useNavigate } from '@tanstack/react-router';
import { Ban, Pause, Pencil, Play, Trash2 } from 'lucide-react';
import { useAction } from '../../api/queries';
import { ConfirmAction } from '../../kit/confirm-action';
import { FormButton } from '../../kit/form-button';
import { UpdateCampaignForm } from './campaign-form';
import {
  ActivateCampaignDocument,
  DeleteCampaignDocument,
  EndCampaignDocument,
  PauseCampaignDocument,
  ResumeCampaignDocument,
  type CampaignDetailFragment,
} from './campaigns.gql';

interface ActionProps {
  readonly campaign: CampaignDetailFragment;
}

/** What can be done with a campaign in its state; an ENDED one stays as it is. */
export function CampaignActions({ campaign }: ActionProps) {
  const { status } = campaign;
  if (status === 'ENDED') return null;
  return (
    <>
      <EditButton campaign={campaign} />
      {status === 'DRAFT' && (
        <>
          <DeleteButton campaign={campaign} />
          <ActivateButton campaign={campaign} />
        </>
      )}
      {status !== 'DRAFT' && <EndButton campaign={campaign} />}
      {status === 'ACTIVE' && <PauseButton campaign={campaign} />}
      {status === 'PAUSED' && <ResumeButton campaign={campaign} />}
    </>
  );
}

function EditButton({ campaign }: ActionProps) {
  return (
    <FormButton
      label="Edit"
      icon={<Pencil size={16} aria-hidden />}
      button={{ variant: 'default' }}
      form={(close) => <UpdateCampaignForm campaign={campaign} onClose={close} />}
    />
  );
}

function ActivateButton({ campaign: { id, name } }: ActionProps) {
  const activate = useAction(ActivateCampaignDocument);
  const run = async (): Promise<void> => {
    const { warnings } = await activate.mutateAsync({ input: { campaignId: id } });
    for (const { message } of warnings ?? [])
      notifications.show({ color: 'yellow', title: 'Check this', message, autoClose: false });
  };
  return (
    <ConfirmAction
      label="Activate"
      icon={<Play size={16} aria-hidden />}
      button={{ variant: 'filled' }}
      says={`Codes of “${name}” can be redeemed from now on, within its window. Its rule, with code format and rewards, can never be changed again.`}
      run={run}
      done="The campaign is active."
    />
  );
}

function PauseButton({ campaign: { id, name } }: ActionProps) {
  const pause = useAction(PauseCampaignDocument);
  return (
    <ConfirmAction
      label="Pause"
      icon={<Pause size={16} aria-hidden />}
      says={`Redemptions of “${name}” are refused with CAMPAIGN_NOT_ACTIVE until you resume it. Codes stay as they are.`}
      run={async () => pause.mutateAsync({ input: { campaignId: id } })}
      done="The campaign is paused."
    />
  );
}

function ResumeButton({ campaign: { id, name } }: ActionProps) {
  const resume = useAction(ResumeCampaignDocument);
  return (
    <ConfirmAction
      label="Resume"
      icon={<Play size={16} aria-hidden />}
      button={{ variant: 'filled' }}
      says={`Codes of “${name}” can be redeemed again, within its window.`}
      run={async () => resume.mutateAsync({ input: { campaignId: id } })}
      done="The campaign is active again."
    />
  );
}

function EndButton({ campaign: { id, name } }: ActionProps) {
  const end = useAction(EndCampaignDocument);
  return (
    <ConfirmAction
      label="End"
      icon={<Ban size={16} aria-hidden />}
      says={`No code of “${name}” can be redeemed any more. This cannot be undone. What users have got stays theirs.`}
      typed={name}
      isDangerous
      run={async () => end.mutateAsync({ input: { campaignId: id } })}
      done="The campaign has ended."
    />
  );
}

function DeleteButton({ campaign: { id, name, version } }: ActionProps) {
  const remove = useAction(DeleteCampaignDocument);
  const navigate = useNavigate();
  const run = async (): Promise<void> => {
    await remove.mutateAsync({ input: { campaignId: id, expectedVersion: version } });
    await navigate({ to: '/campaigns' });
  };
  return (
    <ConfirmAction
      label="Delete"
      icon={<Trash2 size={16} aria-hidden />}
      says={`The draft “${name}” is deleted. Its codes are voided, and their quota is given back. This cannot be undone.`}
      typed={name}
      isDangerous
      run={run}
      done="The campaign was deleted."
    />
  );
}
