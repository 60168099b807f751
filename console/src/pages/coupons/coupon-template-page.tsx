import { getRouteApi } from '@tanstack/react-router';
import { Gift, Pencil } from 'lucide-react';
import { useAction, useOperation } from '../../api/queries';
import { Can } from '../../kit/can';
import { CountCell, IdCell, None, TenantTimeCell, TimeCell } from '../../kit/cells';
import { DetailPage, Facts } from '../../kit/detail-page';
import { FormButton } from '../../kit/form-button';
import { StatusBadge } from '../../kit/status-badge';
import { SwitchAction } from '../../kit/switch-action';
import { TextLink } from '../../kit/text-link';
import { UpdateCouponTemplateForm } from './coupon-template-form';
import { KIND_TEXTS, worthText } from './coupon-terms';
import {
  CouponTemplateDocument,
  UpdateCouponTemplateDocument,
  type CouponTemplateRowFragment,
} from './coupons.gql';
import { IssueForm } from './issue-form';

const route = getRouteApi('/shell/coupon-templates/$id');

/** One template, and how many coupons there are of it. */
export function CouponTemplatePage() {
  const { id } = route.useParams();
  const query = useOperation(CouponTemplateDocument, { id });
  return (
    <DetailPage
      query={query}
      row={({ couponTemplate }) => couponTemplate}
      title={({ name }) => name}
      back={{ to: '/coupon-templates', label: 'Coupon templates' }}
      actions={(template) => <Actions template={template} />}
    >
      {(template) => <About template={template} />}
    </DetailPage>
  );
}

interface TemplateProps {
  readonly template: CouponTemplateRowFragment;
}

function Actions({ template }: TemplateProps) {
  const update = useAction(UpdateCouponTemplateDocument);
  const { id: templateId, name, enabled, version: expectedVersion } = template;
  return (
    <Can permission="CHANGE">
      <FormButton
        label="Edit"
        icon={<Pencil size={16} aria-hidden />}
        button={{ variant: 'default' }}
        form={(close) => <UpdateCouponTemplateForm template={template} onClose={close} />}
      />
      <SwitchAction
        what="template"
        name={name}
        isEnabled={enabled}
        off={`No coupon of “${name}” is issued any more: codes that give one are refused with COUPON_NOT_ISSUABLE. Issued coupons stay valid.`}
        on={`Coupons of “${name}” can be issued again, within its window and limit.`}
        run={async (next) => update.mutateAsync({ input: { templateId, enabled: next, expectedVersion } })}
        button={{ size: 'sm' }}
      />
      {enabled && (
        <FormButton
          label="Issue"
          icon={<Gift size={16} aria-hidden />}
          form={(close) => <IssueForm templateId={templateId} name={name} onClose={close} />}
        />
      )}
    </Can>
  );
}

function About({ template }: TemplateProps) {
  const { id, kind, enabled, issued, issueLimit, startsAt, endsAt, validDays, createdAt } = template;
  return (
    <Facts
      title="Template"
      facts={[
        ['Status', <StatusBadge value={enabled ? 'ENABLED' : 'DISABLED'} />],
        ['Kind', KIND_TEXTS[kind]],
        ['Worth', worthText(template)],
        ['Issued', <CountCell value={issued} />],
        ['At most', issueLimit === null ? <None says="no limit" /> : <CountCell value={issueLimit} />],
        ['Valid', validDays === null ? <None says="until the end" /> : `${validDays} days from the issue`],
        ['Issued from', <TenantTimeCell value={startsAt} none="at once" />],
        ['Issued until', <TenantTimeCell value={endsAt} />],
        [
          'Look at',
          <TextLink to="/coupons" search={{ templateId: id }} size="sm">
            Coupons
          </TextLink>,
        ],
        ['Created', <TimeCell value={createdAt} />],
        ['Id', <IdCell value={id} />],
      ]}
    />
  );
}
