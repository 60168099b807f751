import { Code } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { IdCell, MoneyCell, TenantTimeCell, TimeCell } from '../../kit/cells';
import { DetailPage, Facts } from '../../kit/detail-page';
import { labelOf } from '../../kit/format';
import { StatusBadge } from '../../kit/status-badge';
import { AddCodesMenu } from '../batches/add-codes-menu';
import { PoolPanel } from '../batches/pool-panel';
import { BatchesPanel } from './batches-panel';
import { CampaignActions } from './campaign-actions';
import { formatText, limitText, usesText } from './campaign-text';
import { CampaignDocument, type CampaignDetailFragment } from './campaigns.gql';
import { ReportPanels } from './report-panels';
import { RewardsPanel } from './rewards-panel';

const route = getRouteApi('/shell/campaigns/$id');

export function CampaignPage() {
  const { id } = route.useParams();
  const query = useOperation(CampaignDocument, { id });
  return (
    <DetailPage
      query={query}
      row={({ campaign }) => campaign}
      title={({ name }) => name}
      back={{ to: '/campaigns', label: 'Campaigns' }}
      actions={(campaign) => (
        <Can permission="CHANGE">
          {campaign.status !== 'ENDED' && <AddCodesMenu campaignId={campaign.id} />}
          <CampaignActions campaign={campaign} />
        </Can>
      )}
    >
      {(campaign) => (
        <>
          <ReportPanels campaignId={campaign.id} />
          <Terms campaign={campaign} />
          <RewardsPanel rewards={campaign.rule.rewardRules} />
          <BatchesPanel campaignId={campaign.id} />
          <PoolPanel campaignId={campaign.id} />
          <Codes campaign={campaign} />
        </>
      )}
    </DetailPage>
  );
}

interface PartProps {
  readonly campaign: CampaignDetailFragment;
}

function Terms({ campaign }: PartProps) {
  const { tenantName, tenantFieldsStale } = campaign;
  const { status, startsAt, endsAt, budgetUses, budgetValue, userLimitTotal, userLimitDay } = campaign;
  return (
    <Facts
      title="Campaign"
      facts={[
        ['Status', <StatusBadge value={status} />],
        ['Starts', <TenantTimeCell value={startsAt} none="at once" />],
        ['Ends', <TenantTimeCell value={endsAt} />],
        ['Budget in redemptions', limitText(budgetUses)],
        [
          'Budget in value',
          Number(budgetValue) === 0 ? 'unlimited' : <MoneyCell amount={budgetValue} currency={null} />,
        ],
        ['Id', <IdCell value={campaign.id} />],
        ['Tenant', tenantFieldsStale ? `${tenantName} (may be out of date)` : tenantName],
        ['Redemptions a user', limitText(userLimitTotal)],
        ['Redemptions a user and day', limitText(userLimitDay)],
        ['Created', <TimeCell value={campaign.createdAt} />],
      ]}
    />
  );
}

function Codes({ campaign: { rule, codeVisibility } }: PartProps) {
  return (
    <Facts
      title="Codes"
      facts={[
        ['Format', formatText(rule)],
        ['Characters', rule.codeType === 'UUID' ? 'of a UUID' : (rule.alphabet ?? 'without look-alikes')],
        ['Excluded characters', rule.excludeChars.length === 0 ? 'none' : rule.excludeChars.join(' ')],
        ['Check character', rule.checkCharacter === true ? 'yes' : 'no'],
        ['Who may redeem', rule.when === null ? 'everybody' : <Code>{rule.when}</Code>],
        ['Uses', usesText(rule.useLimit)],
        ['Valid', rule.validDays === null ? 'without end' : `${rule.validDays} days from the issue`],
        ['Product lines', rule.applicableProducts.length === 0 ? 'all' : rule.applicableProducts.join(', ')],
        ['Texts', labelOf(codeVisibility)],
        ['Rule id', rule.ruleId],
      ]}
    />
  );
}
