import { TenantTimeCell } from '../../kit/cells';
import { SecretModal } from '../../kit/secret-modal';

export interface Invitation {
  readonly email: string;
  readonly token: string;
  readonly expiresAt: string | null;
}

/** The link of an invitation; the server does not show it again. */
export function InvitationLink({
  invitation: { email, token, expiresAt },
  onClose,
}: {
  readonly invitation: Invitation;
  readonly onClose: () => void;
}) {
  return (
    <SecretModal
      title="Invitation link"
      secret={`${window.location.origin}/console/invitation#token=${token}`}
      onClose={onClose}
    >
      Send this link to {email}. It works once
      {expiresAt !== null && (
        <>
          , until <TenantTimeCell value={expiresAt} />
        </>
      )}
      , and is not shown again.
    </SecretModal>
  );
}
