import { Select } from '@mantine/core';
import { useOperation } from '../../api/queries';
import { CampaignNamesDocument } from './batches.gql';

interface CampaignSelectProps {
  /** What `form.getInputProps` answers. */
  readonly input: object;
}

/** Campaigns that can still get codes, by their names. */
export function CampaignSelect({ input }: CampaignSelectProps) {
  return (
    <Select
      label="Campaign"
      required
      searchable
      data-autofocus
      allowDeselect={false}
      data={useOpenCampaigns().map(({ id, name }) => ({ value: id, label: name }))}
      nothingFoundMessage="No campaign that has not ended has this name."
      {...input}
    />
  );
}

export function useOpenCampaigns() {
  const { data } = useOperation(CampaignNamesDocument, {});
  return (data?.campaigns.items ?? []).filter(({ status }) => status !== 'ENDED');
}

export const chooseCampaign = (id: string): string | null => (id === '' ? 'Choose a campaign.' : null);
