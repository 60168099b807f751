import { getRouteApi } from '@tanstack/react-router';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { IdCell, None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { ConfirmAction } from '../../kit/confirm-action';
import { DetailPage, Facts } from '../../kit/detail-page';
import { StatusBadge } from '../../kit/status-badge';
import { TablePanel } from '../../kit/table-panel';
import { TextLink } from '../../kit/text-link';
import { ChangeCodeButton } from './change-code-form';
import { usesText } from './code-terms';
import { CodeDocument, SetCodeEnabledDocument, type CodeQuery } from './codes.gql';
import { QrButton } from './qr-button';
import { WhyRefused } from './why-refused';

const route = getRouteApi('/shell/codes/$id');

type Code = NonNullable<CodeQuery['code']>;

/** One code: its state, who redeemed it, and why it was refused. */
export function CodePage() {
  const { id } = route.useParams();
  const query = useOperation(CodeDocument, { id });
  return (
    <DetailPage
      query={query}
      row={({ code }) => code}
      title={({ code, lastFour }) => code ?? `…${lastFour}`}
      back={{ to: '/codes', label: 'Codes' }}
      actions={(code) => (
        <Can permission="CHANGE">
          {code.code !== null && <QrButton codeId={code.id} code={code.code} />}
          <ChangeCodeButton code={code} />
          <SwitchButton code={code} />
        </Can>
      )}
    >
      {(code) => (
        <>
          <State code={code} />
          <TablePanel
            title="Redemptions"
            heads={['Time', 'Order', 'User', 'Status']}
            rows={(query.data?.redemptions.items ?? []).map((each) => ({
              key: each.id,
              cells: [
                <TimeCell value={each.claimedAt} />,
                <TextLink to="/redemptions/$id" params={{ id: each.id }} size="sm">
                  {each.id}
                </TextLink>,
                each.externalUserId ?? <IdCell value={each.userId} />,
                <StatusBadge value={each.status} />,
              ],
            }))}
            empty="The code has no redemption yet."
          />
          {code.code !== null && <WhyRefused code={code.code} />}
        </>
      )}
    </DetailPage>
  );
}

function State({ code }: { readonly code: Code }) {
  return (
    <Facts
      title="State"
      facts={[
        ['Now', <StatusBadge value={code.effectiveStatus} />],
        ['Uses', usesText(code)],
        ['Issued', <TimeCell value={code.issuedAt} />],
        ['From', <TenantTimeCell value={code.startsAt} none="at once" />],
        ['Until', <TenantTimeCell value={code.expiresAt} />],
        [
          'Only for',
          code.assignedUserId === null ? <None says="any user" /> : <IdCell value={code.assignedUserId} />,
        ],
        [
          'Campaign',
          <TextLink to="/campaigns/$id" params={{ id: code.campaignId }} size="sm">
            {code.campaignName ?? code.campaignId}
          </TextLink>,
        ],
        [
          'Batch',
          <TextLink to="/batches/$id" params={{ id: code.batchId }} size="sm">
            {code.batchId}
          </TextLink>,
        ],
        ['Id', <IdCell value={code.id} />],
      ]}
    />
  );
}

function SwitchButton({ code: { id: codeId, status } }: { readonly code: Code }) {
  const set = useAction(SetCodeEnabledDocument);
  const enabled = status === 'DISABLED';
  return (
    <ConfirmAction
      label={enabled ? 'Enable' : 'Disable'}
      says={
        enabled
          ? 'The code can be redeemed again, within its limits.'
          : 'No user can redeem the code until it is enabled again. Rewards that it has given stay.'
      }
      isDangerous={!enabled}
      run={async () => set.mutateAsync({ input: { codeId, enabled } })}
      done={enabled ? 'The code is enabled.' : 'The code is disabled.'}
    />
  );
}
