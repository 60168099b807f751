import { Stack, Text } from '@mantine/core';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { useOperation } from '../../api/queries';
import { useTenantZone } from '../../api/viewer';
import { IdCell, None, TimeCell } from '../../kit/cells';
import { ChoiceTabs } from '../../kit/choice-tabs';
import { CodesModal } from '../../kit/codes-modal';
import { FormButton } from '../../kit/form-button';
import { labelOf, moneyText } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { CreateCampaignForm } from './campaign-form';
import { STATUSES } from './campaign-status';
import { formatText, fromText, limitText, rewardsText, untilText, usesText } from './campaign-text';
import { CampaignsDocument, type CampaignRowFragment } from './campaigns.gql';

const route = getRouteApi('/shell/campaigns');

interface MadeCodes {
  readonly campaignId: string;
  readonly codes: readonly string[];
}

const columns: readonly Column<CampaignRowFragment>[] = [
  {
    title: 'Name',
    cell: ({ id, name }) => (
      <Stack gap={0}>
        <TextLink to="/campaigns/$id" params={{ id }} size="sm" fw={600}>
          {name}
        </TextLink>
        <IdCell value={id} />
      </Stack>
    ),
  },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
  {
    title: 'Codes',
    cell: ({ rule, codeVisibility }) => (
      <TwoLines first={formatText(rule)}>
        {usesText(rule.useLimit)} each, {labelOf(codeVisibility).toLowerCase()}
      </TwoLines>
    ),
  },
  {
    title: 'Rewards',
    cell: ({ rule }) => (rule.rewardRules.length === 0 ? <None /> : rewardsText(rule)),
  },
  {
    title: 'Budget',
    align: 'end',
    cell: ({ budgetUses, budgetValue }) => (
      <TwoLines first={limitText(budgetUses)}>
        {Number(budgetValue) > 0 && `${moneyText(budgetValue, null)} value`}
      </TwoLines>
    ),
  },
  {
    title: 'Window',
    cell: (campaign) => <WindowCell campaign={campaign} />,
  },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
];

/** By the clock of the tenant, as `TenantTimeCell`. */
function WindowCell({ campaign }: { readonly campaign: CampaignRowFragment }) {
  const zone = useTenantZone();
  return (
    <span title={zone}>
      <TwoLines first={fromText(campaign, zone)}>{untilText(campaign, zone)}</TwoLines>
    </span>
  );
}

function TwoLines({ first, children }: { readonly first: string; readonly children: ReactNode }) {
  return (
    <Stack gap={0} style={{ whiteSpace: 'nowrap' }}>
      <span>{first}</span>
      <Text span size="xs" c="dimmed">
        {children}
      </Text>
    </Stack>
  );
}

export function CampaignsPage() {
  const search = route.useSearch();
  const { status } = search;
  const filter = status === undefined ? null : { status };
  const query = useOperation(CampaignsDocument, { filter, ...pageVariables(search) });
  const [made, setMade] = useState<MadeCodes | null>(null);
  const navigate = useNavigate();
  const show = async (id: string): Promise<void> => navigate({ to: '/campaigns/$id', params: { id } });
  return (
    <>
      <ListPage
        title="Campaigns"
        query={query}
        list={({ campaigns }) => campaigns}
        search={search}
        columns={columns}
        filters={<ChoiceTabs name="status" label="Status" value={status} values={STATUSES} />}
        empty={
          status === undefined
            ? 'A campaign is a set of codes with one rule and its rewards. There is none yet.'
            : `No campaign is ${status.toLowerCase()}.`
        }
        actions={
          <FormButton
            label="New campaign"
            icon={<Plus size={16} aria-hidden />}
            form={(close) => (
              <CreateCampaignForm
                onClose={close}
                onCreated={async (id, codes) => {
                  if (codes === null) await show(id);
                  else setMade({ campaignId: id, codes });
                }}
              />
            )}
          />
        }
      />
      {made !== null && (
        <CodesModal codes={made.codes} onClose={() => void show(made.campaignId)}>
          The campaign stores digests of its codes, not their texts. Copy or save the codes now: they cannot
          be shown again.
        </CodesModal>
      )}
    </>
  );
}
